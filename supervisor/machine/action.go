package machine

import "time"

// Action is something the supervisor is to do, in the order given. The set is closed.
//
//sumtype:decl
type Action interface{ action() }

// Steer sends new connections to these places alone: to the workers in service or, if there are none, to all that are up.
// It is given whenever that set changed and is not empty. With nobody up the last set stays, and connections wait in queues
// that survive; but if the last ones are steered away from, they wait where their successors will come. A worker that was
// steered away from and is in service again may have become unready meanwhile: whoever knows says so again.
type Steer struct{ Members []Place }

// Place is one side of one slot.
type Place struct {
	Slot int
	Side Side
}

// Adopt: connections may wait for a worker at this place again; stop relaying its queue.
type Adopt struct{ Place Place }

// Abandon: nobody will serve what waits at this place, or what still arrives there. Relay it to the others.
type Abandon struct{ Place Place }

// Start spawns a worker. The answer is BecameReady, LeavesByItself or Died.
type Start struct {
	Ref        Ref
	ID         int
	Generation uint64
	Fence      uint64 // of the claim to the worker id; 0 where none is needed
	Lead       uint64 // of the claim to lead; 0 if there is none
}

// Ask asks for claims. Each is answered with Claimed as soon as there is one to be had.
type Ask struct {
	Right Right
	Count int
}

// Unask takes back some of what was asked for. The answer may be on its way.
type Unask struct {
	Right Right
	Count int
}

// Release gives a claim back: nobody uses it.
type Release struct{ Claim Claim }

// Terminate sends the stop signal to the worker's leading process or, if that is gone already, to what remains of its
// group.
type Terminate struct {
	Ref Ref
	Why Why
}

// TerminateRemains sends the stop signal to what is left of a group whose leading process died without telling it.
type TerminateRemains struct{ Ref Ref }

// Trace sends SIGABRT to a worker that does not work, so that it can say where it hangs. Kill follows.
type Trace struct{ Ref Ref }

// Kill sends SIGKILL to the whole group.
type Kill struct{ Ref Ref }

// Relay sends the reload or the dump signal to a worker, if the kernel shows that it has a handler.
type Relay struct {
	Ref     Ref
	Purpose Purpose
}

// SetTimer asks for TimerFired after a while. A timer of the same key is never set twice without being stopped.
type SetTimer struct {
	Timer Timer
	After time.Duration
}

// StopTimer takes a timer back. It may have ended already, and TimerFired may be on its way all the same.
type StopTimer struct{ Timer Timer }

// Obituary says what follows the death of a worker.
type Obituary struct {
	Ref   Ref
	Next  Next
	After time.Duration // with RestartLater
}

// RolloutStarted and RolloutEnded frame a rollout. A failed one ends at the failure; the way back follows.
type (
	RolloutStarted struct{ Target uint64 }
	RolloutEnded   struct {
		Target uint64
		Cause  RolloutCause
		Ref    Ref // the successor that failed
	}
)

// GaveUp: a slot failed so often in a row that the pool stops.
type GaveUp struct {
	Slot     int
	Failures int
}

// StillHere: termination was asked for again, and this many processes have not left yet.
type StillHere struct{ Terms, Workers int }

// Exit ends the pool, and is the last action ever. With code 0 every process is reaped.
type Exit struct{ Code int }

func (Steer) action()            {}
func (Adopt) action()            {}
func (Abandon) action()          {}
func (Start) action()            {}
func (Ask) action()              {}
func (Unask) action()            {}
func (Release) action()          {}
func (Terminate) action()        {}
func (TerminateRemains) action() {}
func (Trace) action()            {}
func (Kill) action()             {}
func (Relay) action()            {}
func (SetTimer) action()         {}
func (StopTimer) action()        {}
func (Obituary) action()         {}
func (RolloutStarted) action()   {}
func (RolloutEnded) action()     {}
func (GaveUp) action()           {}
func (StillHere) action()        {}
func (Exit) action()             {}
