package lease

import (
	"math"
	"time"
)

// SessionID names the one lease that all claims of an engine share. It is 0 where there is no session.
type SessionID int64

// Never is the deadline of claims that nobody takes away.
const Never time.Duration = math.MaxInt64

// Session is what holds all the claims of an engine that were made in it.
type Session struct {
	ID SessionID `json:"id,omitempty"`

	// Deadline is when the use of all places has to have ended unless it is put off before, as time since the machine
	// was started (CLOCK_BOOTTIME: it runs on while the machine is suspended, and nobody can set it). It is counted
	// from before the last confirmed renewal was sent.
	Deadline time.Duration `json:"deadline"`
}

// Notice is news about the session.
type Notice struct {
	Session Session
	Kind    NoticeKind
	Err     error // why it was lost
}

// NoticeKind says what happened to a session.
type NoticeKind uint8

// What can happen to a session.
const (
	Began   NoticeKind = iota + 1 // claims can be made
	Renewed                       // the deadline was put off
	Lost                          // all claims of it are gone; another session begins when the engine can be reached
)

// String is for people and logs.
func (k NoticeKind) String() string {
	switch k {
	case Began:
		return "began"
	case Renewed:
		return "renewed"
	case Lost:
		return "lost"
	}
	return "unknown"
}
