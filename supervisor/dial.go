package supervisor

import (
	"sync"
	"time"
)

// dial holds figures that are read beside those who ask for them: only when somebody asks, and never while they are young.
// Nobody waits for a look that hangs, and no second one begins before it has ended. Any goroutine may use it.
type dial[T any] struct {
	mu    sync.Mutex
	shown T
	at    time.Time     // when these were read; zero before the first look
	ended chan struct{} // closed when the look under way has ended; nil if there is none
}

// look has the figures read, unless they are young or it is being done. It returns a channel that is closed when they are
// there, nil if nothing is to be waited for. read may show some of them before it has all.
func (d *dial[T]) look(beside func(func()) bool, read func(before T, show func(T))) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended != nil {
		return d.ended
	}
	if !d.at.IsZero() && time.Since(d.at) < gaugeAge {
		return nil
	}
	before, ended := d.shown, make(chan struct{})
	began := beside(func() {
		defer d.end()
		read(before, d.show)
	})
	if !began {
		return nil
	}
	d.ended = ended
	return ended
}

func (d *dial[T]) show(now T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown, d.at = now, time.Now()
}

func (d *dial[T]) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.ended)
	d.ended = nil
}

// figures are the last ones, none if they are too old to be shown.
func (d *dial[T]) figures() (last T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at.IsZero() || time.Since(d.at) > gaugeStale {
		return last
	}
	return d.shown
}
