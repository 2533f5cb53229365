package hooks

import (
	"context"
	"slices"
	"time"

	"github.com/broodctl/brood/supervisor/events"
)

// Hook is somebody who is told of events. Empty lists match everything.
type Hook struct {
	Name   string // for people
	Kinds  []events.Kind
	Pools  []string
	States []string
	Causes []string // of deaths; other events have none, and do not match

	Deliver Deliver
	Timeout time.Duration // of one attempt
	// Attempts is how often a delivery is tried, at least once.
	Attempts int
	// Queue is how many events may wait behind the one that is being delivered.
	Queue int
}

// Deliver hands over one event. An error that wraps [ErrRefused] is not tried again.
type Deliver func(ctx context.Context, m Message) error

// Message is what a hook gets: an event, and where it happened.
type Message struct {
	Name   string `json:"name"`             // of the supervisor
	Host   string `json:"host"`             // its machine
	Key    string `json:"key"`              // the same for each attempt, and for no other event of that supervisor
	Missed int    `json:"missed,omitempty"` // events that were dropped since the last delivery
	events.Event
}

// matches reports whether the hook is told of an event.
func (h *Hook) matches(e events.Event) bool {
	return has(h.Kinds, e.Kind) && has(h.Pools, e.Pool) && has(h.States, e.State) && has(h.Causes, e.Cause)
}

func has[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }
