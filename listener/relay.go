package listener

import (
	"context"
	"os"
	"sync"
)

// rescuer bounds the relays of all listeners of a Set.
type rescuer struct {
	mu     sync.Mutex
	active int
	parked []func()
	quiet  bool          // no relay is started: see Set.Quiesce
	idle   chan struct{} // closed when none is active; nil if nobody waits for it
}

// room says how many relays may be started, n at most. When there is none, again is called once a relay has ended. Only
// the poller's goroutine asks and starts, so the answer holds until it has.
func (r *rescuer) room(n int, again func()) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active >= maxRelays || r.quiet {
		r.parked = append(r.parked, again)
		return 0
	}
	return min(n, maxRelays-r.active)
}

func (r *rescuer) began() {
	r.mu.Lock()
	r.active++
	r.mu.Unlock()
}

func (r *rescuer) ended() {
	r.mu.Lock()
	r.active--
	if r.active == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
	var parked []func()
	if !r.quiet {
		parked, r.parked = r.parked, nil
	}
	r.mu.Unlock()
	for _, again := range parked {
		again()
	}
}

// relays owns the goroutines of one listener's relays.
type relays struct {
	bound  *rescuer
	ctx    context.Context // the life of the goroutines, which no caller has
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	bridges map[*bridge]struct{} // those that carry
	halted  []*bridge            // those that wait for another process, or to go on
}

func newRelays(bound *rescuer) *relays {
	r := &relays{bound: bound, bridges: map[*bridge]struct{}{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// start runs a relay of the accepted connection fd, which it owns from now on.
func (r *relays) start(fd int, relay func(context.Context)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = os.NewFile(uintptr(fd), "accepted").Close()
		return
	}
	r.bound.began()
	r.wg.Go(func() {
		relay(r.ctx)
		r.bound.ended()
	})
}

// carry carries a bridge until it is done, or halted.
func (r *relays) carry(ctx context.Context, b *bridge) {
	for {
		r.mu.Lock()
		r.bridges[b] = struct{}{}
		if r.bound.isQuiet() {
			b.halt()
		}
		r.mu.Unlock()
		done := b.carry(ctx)
		if r.rests(b, done) {
			return
		}
	}
}

// rests is false for a bridge that was halted, and is to go on already.
func (r *relays) rests(b *bridge, done bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.bridges, b)
	switch {
	case done:
	case r.closed:
		b.reset()
	case r.bound.isQuiet():
		r.halted = append(r.halted, b)
	default:
		b.unhalt()
		return false
	}
	return true
}

// resume goes on with bridges that were halted.
func (r *relays) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.halted {
		b.unhalt()
		r.bound.began()
		r.wg.Go(func() {
			r.carry(r.ctx, b)
			r.bound.ended()
		})
	}
	r.halted = nil
}

// leave closes our descriptors of bridges that were halted, and that another process has.
func (r *relays) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.halted {
		_ = b.client.Close()
		_ = b.worker.Close()
	}
	r.halted = nil
}

// close ends all relays and waits for them. The caller must not hold the lock of a listener.
func (r *relays) close() {
	r.mu.Lock()
	r.closed = true
	halted := r.halted
	r.halted = nil
	r.mu.Unlock()
	r.cancel()
	for _, b := range halted {
		b.reset()
	}
	r.wg.Wait()
}
