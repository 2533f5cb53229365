package events

import "time"

// Kind is what an event is about.
type Kind string

// The kinds. docs/events.md says which fields each of them has.
const (
	Worker  Kind = "worker"  // a worker came to another state
	Death   Kind = "death"   // a worker died; what becomes of its place is said too
	Rollout Kind = "rollout" // a rollout began, goes back, or ended
	Scale   Kind = "scale"   // another number of workers is wanted
	Pool    Kind = "pool"    // a pool came to another state, or came, or is gone
	State   Kind = "state"   // the supervisor came to another state
	Reload  Kind = "reload"  // the reload of the configuration came to another state
	Repair  Kind = "repair"  // a socket was put back to what it was
	Signal  Kind = "signal"  // the supervisor received a signal
	Request Kind = "request" // somebody asked for something
)

// Kinds lists them all, in the order of the documentation.
func Kinds() []Kind {
	return []Kind{Worker, Death, Rollout, Scale, Pool, State, Reload, Repair, Signal, Request}
}

// Event is one thing that happened. It is never changed after it was added to a feed. Fields that mean nothing for a kind
// are left out of its JSON.
type Event struct {
	ID   uint64    `json:"id"` // 1, 2, 3 since the supervisor started
	Time time.Time `json:"time"`
	Kind Kind      `json:"event"`

	Pool       string `json:"pool,omitempty"`
	Slot       *int   `json:"slot,omitempty"`
	WorkerID   *int   `json:"worker_id,omitempty"`
	PID        int    `json:"pid,omitempty"` // of the worker, or of the process that asked
	Generation uint64 `json:"generation,omitempty"`

	State string `json:"state,omitempty"`
	From  string `json:"from,omitempty"` // the state before; the address that asked

	Cause  string   `json:"cause,omitempty"` // of a death; see docs/api.md
	Exit   string   `json:"exit,omitempty"`
	Detail string   `json:"detail,omitempty"`
	Age    *float64 `json:"age_seconds,omitempty"`
	Lines  []string `json:"last_lines,omitempty"`
	Next   string   `json:"next,omitempty"`          // what becomes of the place
	After  float64  `json:"after_seconds,omitempty"` // when that happens

	Reason   string `json:"reason,omitempty"`
	Workers  int    `json:"workers,omitempty"`  // how many are wanted
	Before   int    `json:"before,omitempty"`   // how many were
	Listener string `json:"listener,omitempty"` // whose socket
	Signal   string `json:"signal,omitempty"`
	Verb     string `json:"verb,omitempty"` // what was asked for
	UID      *int   `json:"uid,omitempty"`  // by whom
}
