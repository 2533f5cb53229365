package listener

import "fmt"

// Poller calls back when a raw descriptor is readable, or when its peer has hung
// up; internal/poll has one. Callbacks run one after another on its goroutine, in
// the order in which the kernel had the news, and are repeated while the state
// lasts. Remove may be called from a callback. The caller keeps owning fd.
type Poller interface {
	Add(fd int, ready func()) error
	AddHangup(fd int, gone func()) error
	Remove(fd int) error
}

// Options are what a Set needs from outside.
type Options struct {
	// Poller is required; it must outlive the Set.
	Poller Poller
	// Report is told what happened behind the caller's back; nil drops it. It may run on any goroutine, must not block
	// and must not call the Set or a Listener.
	Report func(Event)
}

// EventKind says what an Event is about.
type EventKind uint8

// The kinds of events.
const (
	// EventFellBack: the listener is shared although it should be sharded; Err says why.
	EventFellBack EventKind = iota
	// EventRevived: the socket of Slot and Side had been shut down by its worker, and listens again. A shared one, or one
	// that no place has, has no slot.
	EventRevived
	// EventRelayed: Count connections that waited in an abandoned queue go to a ready worker through us.
	EventRelayed
	// EventRelayFailed: Count connections of an abandoned queue, or the whole queue if 0, could not be relayed; Err says why.
	EventRelayFailed
	// EventReviveFailed: a socket that had been shut down could not be revived; Err says why.
	EventReviveFailed
	// EventDropped: a listener that another process handed over was in the way of one that is wanted, and is closed. Count
	// connections waited in it.
	EventDropped
)

var eventNames = []string{"fell back to shared", "revived", "relayed", "relay failed", "revive failed", "dropped"}

func (k EventKind) String() string { return nameOf(eventNames, int(k)) }

// Event is something that a caller cannot know from a return value.
type Event struct {
	Kind     EventKind
	Listener string
	Slot     int // -1 when no slot is meant
	Side     Side
	Count    int
	Err      error
}

func (e Event) String() string {
	s := fmt.Sprintf("%s: %s", e.Listener, e.Kind)
	if e.Slot >= 0 {
		s += fmt.Sprintf(" (slot %d side %s)", e.Slot, e.Side)
	}
	if e.Count > 0 {
		s += fmt.Sprintf(" x%d", e.Count)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}
