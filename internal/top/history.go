package top

import (
	"context"
	"slices"
	"sync"

	"github.com/broodctl/brood/internal/control"
)

// mostHistory is how many events are kept, as many as a supervisor keeps.
const mostHistory = 8192

// mostEvents is how many of them the page of a worker shows.
const mostEvents = 300

// history keeps the events of a supervisor, for the pages of its workers. Its methods may be called from any goroutine.
type history struct {
	mu     sync.Mutex
	events []control.Event
	err    error // why the latest attempt to read them ended
}

// follow reads events until its context ends, also those of a supervisor that comes back.
func (h *history) follow(ctx context.Context, source Source) {
	after := "0"
	for ctx.Err() == nil {
		var err error
		for e, failure := range source.Events(ctx, control.EventsWanted{After: after}) {
			if err = failure; err != nil {
				break
			}
			after = e.ID
			h.add(e.Event)
		}
		h.mu.Lock()
		h.err = err
		h.mu.Unlock()
		pause(ctx, retryPause)
	}
}

func (h *history) add(e control.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = nil
	if len(h.events) == mostHistory {
		h.events = slices.Delete(h.events, 0, mostHistory/8)
	}
	h.events = append(h.events, e)
}

// of returns the last events of a slot and of its pool, the oldest first. An error says why there is none at all.
func (h *history) of(pool string, slot int) ([]control.Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 && h.err != nil {
		return nil, h.err
	}
	var found []control.Event
	for _, e := range h.events {
		if e.Pool == pool && (e.Slot == nil || *e.Slot == slot) {
			found = append(found, e)
		}
	}
	return slices.Clone(found[max(0, len(found)-mostEvents):]), nil
}
