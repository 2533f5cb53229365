package events

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Kept is how many events a [Feed] has at most: a rollout of a thousand workers fits.
const Kept = 8192

// Feed holds the latest events. Use [NewFeed]. All methods may be called from any goroutine, and none waits for a reader.
type Feed struct {
	mu      sync.Mutex
	ring    []Event // that of number n is at (n-1) % Kept
	last    uint64
	changed chan struct{} // closed by the next event; nil if nobody waits for it
}

// NewFeed returns a feed without events.
func NewFeed() *Feed { return &Feed{} }

// ErrGap means that events are missing that a feed must have.
var ErrGap = errors.New("events are missing")

// Resume returns a feed that goes on where another was: with all events that it kept, the oldest first, and the number of the
// latest.
func Resume(all []Event, last uint64) (*Feed, error) {
	if uint64(len(all)) != min(last, Kept) {
		return nil, fmt.Errorf("cannot go on behind event %d with %d events: %w", last, len(all), ErrGap)
	}
	f := &Feed{last: last, ring: make([]Event, len(all))}
	for i, e := range all {
		if want := last - uint64(len(all)-1-i); e.ID != want {
			return nil, fmt.Errorf("cannot go on behind event %d: %d is in the place of %d: %w", last, e.ID, want, ErrGap)
		}
		f.ring[(e.ID-1)%Kept] = e
	}
	return f, nil
}

// Add numbers an event, and dates it if it has no time.
func (f *Feed) Add(e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	e.ID = f.last
	if len(f.ring) < Kept {
		f.ring = append(f.ring, e)
	} else {
		f.ring[(e.ID-1)%Kept] = e
	}
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// Last is the number of the latest event, 0 if there is none.
func (f *Feed) Last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// Since returns the events behind a number, the oldest first, and how many of those behind it are not kept any more. A
// number that was not given yet is that of another supervisor: all that is kept follows it.
func (f *Feed) Since(id uint64) (after []Event, missed uint64) { return f.Next(id, Kept) }

// Next is Since for who wants some at a time: while many are taken, whoever adds one waits.
func (f *Feed) Next(id uint64, most int) (after []Event, missed uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id > f.last {
		id = 0
	}
	if oldest := f.last - uint64(len(f.ring)); id < oldest {
		missed, id = oldest-id, oldest
	}
	last := min(f.last, id+uint64(most))
	if id == last {
		return nil, missed
	}
	from, to := int(id%Kept), int(last%Kept)
	if from < to || len(f.ring) < Kept {
		return slices.Clone(f.ring[from : from+int(last-id)]), missed
	}
	return slices.Concat(f.ring[from:], f.ring[:to]), missed
}

// Changed returns a channel that is closed as soon as there is an event behind a number. It is closed already if there is
// one.
func (f *Feed) Changed(id uint64) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id > f.last {
		id = 0 // as for Next, so that who waits for news and then takes them does not turn in a circle
	}
	if id != f.last {
		past := make(chan struct{})
		close(past)
		return past
	}
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}
