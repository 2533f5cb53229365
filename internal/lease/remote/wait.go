package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// spread is the moment over which those who wait try to take a place that became free. Who sees before his turn that
// somebody took it does not try: of a thousand a few dozen do.
const spread = 50 * time.Millisecond

// Wait returns when a place of the range was seen free, or its cooldown over; and when the store answers again, so that who
// waits learns what is in his way now.
func (e *Engine) Wait(ctx context.Context, name string, among lease.Range) error {
	cannot := func(err error) error { return fmt.Errorf("cannot wait for %v of %s: %w", among, name, err) }
	if err := lease.Check(name, among); err != nil {
		return cannot(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	away := e.Session().ID == 0
	for failures := 0; ; failures++ {
		found, err := e.watch(ctx, name, among, away)
		switch {
		case e.ctx.Err() != nil:
			return cannot(lease.ErrClosed)
		case ctx.Err() != nil:
			return cannot(ctx.Err())
		case err != nil && !errors.Is(err, lease.ErrUnavailable) && !errors.Is(err, errInterrupted):
			return cannot(err)
		case found:
			return nil
		case errors.Is(err, errInterrupted):
			failures = min(failures, 3) // it may have served for days
		}
		away = away || errors.Is(err, lease.ErrUnavailable)
		if err := e.pause(ctx, e.backoff(failures)); err != nil {
			return cannot(err)
		}
	}
}

var errInterrupted = errors.New("the watch was interrupted")

// watch looks once and follows what changes, until a place is free. Of a store that was away it is enough to see it.
func (e *Engine) watch(ctx context.Context, name string, among lease.Range, away bool) (found bool, err error) {
	if _, err := e.current(ctx, time.Hour); err != nil {
		return false, err // without a session nothing could be claimed
	}
	entries, at, err := e.look(ctx, name, among)
	if err != nil {
		return false, err
	}
	if away || len(e.free(name, among, entries)) > 0 {
		return true, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &waiting{engine: e, name: name, among: among, due: map[int]time.Duration{}, fences: make(map[int]uint64, len(entries))}
	for _, x := range entries {
		w.fences[x.Place] = x.Fence
		if !x.Alive {
			w.orphaned(x.Place)
		}
	}
	return w.follow(ctx, e.store.Watch(ctx, name, among, at))
}

// waiting is what one who waits knows of the places.
type waiting struct {
	engine *Engine
	name   string
	among  lease.Range
	fences map[int]uint64
	due    map[int]time.Duration // when to try a place that is free, or will be
}

func (w *waiting) follow(ctx context.Context, changes <-chan Change) (found bool, err error) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := w.engine.cfg.Clock.Now()
		var next <-chan time.Time
		if place, at, some := w.first(); some {
			if now >= at {
				w.engine.hintAt(w.name, hint{place: place, only: w.among, until: now + w.engine.cfg.Request})
				return true, nil
			}
			timer.Reset(at - now)
			next = timer.C
		}
		select {
		case change, open := <-changes:
			if !open {
				return false, errInterrupted
			}
			w.take(change)
		case <-next:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

func (w *waiting) first() (place int, at time.Duration, some bool) {
	for p, t := range w.due {
		if !some || t < at {
			place, at, some = p, t, true
		}
	}
	return place, at, some
}

func (w *waiting) take(c Change) {
	switch c.Kind {
	case Taken:
		w.fences[c.Place] = c.Fence
		delete(w.due, c.Place)
	case Freed:
		delete(w.fences, c.Place)
		w.engine.cooledDown(w.name, c.Place)
		w.due[c.Place] = w.engine.cfg.Clock.Now() + turn()
	case Orphaned:
		w.orphaned(c.Place)
	}
}

func (w *waiting) orphaned(place int) {
	fence := w.fences[place]
	if fence == 0 {
		return // its mark is gone as well: it was released
	}
	w.engine.mu.Lock()
	defer w.engine.mu.Unlock()
	w.due[place] = w.engine.observe(w.name, Entry{Place: place, Fence: fence}) + turn()
}

func turn() time.Duration { return rand.N(spread) } //nolint:gosec // it need not be hard to guess
