package self

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/broodctl/brood/worker/handshake"
)

// Reloads receives once for each SIGHUP, until ctx is done; requests that come
// while one waits are one. It also declares to the supervisor that this program
// reloads by that signal, so that `brood reload` sends it instead of replacing the
// worker. The error is about that declaration alone: the channel works.
func Reloads(ctx context.Context) (<-chan struct{}, error) {
	reloads := make(chan struct{}, 1)
	onSignal(ctx, syscall.SIGHUP, func() {
		select {
		case reloads <- struct{}{}:
		default:
		}
	})
	return reloads, tell(handshake.Message{HandlesReload: true})
}

// onSignal calls do for each signal from now on, until ctx is done. Those that come while it runs are one.
func onSignal(ctx context.Context, sig os.Signal, do func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, sig)
	go func() { // ends with ctx, which the caller owns
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				do()
			}
		}
	}()
}

// Draining returns a context that is done once this worker shall end: upon
// SIGTERM or SIGINT, or with parent. Then no new connection comes, and there is a
// grace period to finish what is in hand. After it, or after stop has been called,
// a further signal ends the program as usual.
func Draining(parent context.Context) (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(parent, syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
