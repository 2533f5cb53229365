package top

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// feed passes on what a source says: each change at once, and what is measured once per interval.
type feed struct {
	source   Source
	interval time.Duration
	send     func(tea.Msg) // may wait, and is not called any more behind the end of run's context
}

// retryPause is between two attempts to reach a supervisor that does not answer.
const retryPause = time.Second

// run goes on until its context ends.
func (f *feed) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { f.measure(ctx) })
	for ctx.Err() == nil {
		err := f.watch(ctx)
		if ctx.Err() != nil {
			return
		}
		f.send(Lost{Err: err, At: time.Now()})
		pause(ctx, retryPause)
	}
}

// watch passes on snapshots until there are no more of them.
func (f *feed) watch(ctx context.Context) error {
	for snap, err := range f.source.Watch(ctx) {
		if err != nil {
			return err
		}
		f.send(Arrived{Snapshot: snap, At: time.Now()})
	}
	return nil
}

// measure asks for what changes without an event. Whether somebody answers is the matter of watch.
func (f *feed) measure(ctx context.Context) {
	for pause(ctx, f.interval) {
		if snap, err := f.source.Status(ctx); err == nil {
			f.send(Arrived{Snapshot: snap, At: time.Now()})
		}
	}
}

// pause waits, and reports whether the context goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
