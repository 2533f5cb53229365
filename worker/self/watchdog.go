package self

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/broodctl/brood/worker/handshake"
)

// Watchdog tells the supervisor, twice as often as it wants to hear it, that this
// program works, and ends with ctx; it does nothing if the supervisor does not want
// to hear it, or wants it from another process. Start it when the program is
// ready:
//
//	go self.Watchdog(ctx, works)
//
// Before each time it asks works. If that says no, or does not return, the
// supervisor hears nothing and replaces this worker. With nil a beat proves only
// that the process is not stopped and its goroutines are scheduled.
func Watchdog(ctx context.Context, works func() bool) {
	interval := WatchdogInterval() / 2
	if interval <= 0 {
		return
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if works == nil || works() {
			_ = Alive() // what cannot be told now is told next time
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Failed asks the supervisor to replace this worker, as if it had missed the
// watchdog: it works no more and knows it, but cannot or shall not end by itself.
func Failed() error { return tell(handshake.Message{WatchdogTrigger: true}) }

// Alive resets the watchdog: see WatchdogInterval. Watchdog calls it.
func Alive() error { return tell(handshake.Message{Watchdog: true}) }

// WatchdogInterval is how often the supervisor wants to hear Alive at least; 0 if
// it does not. Call Alive twice as often, and only from where work is done: a
// goroutine that does nothing else proves nothing.
func WatchdogInterval() time.Duration {
	if pid := os.Getenv(handshake.EnvWatchdogPID); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(number(handshake.EnvWatchdogUsec, 0)) * time.Microsecond
}
