package machine

import "time"

// Event is news from outside. The set is closed: Step knows every one.
//
//sumtype:decl
type Event interface{ event() }

// BecameReady: the worker says, or is seen, that it serves.
type BecameReady struct{ Ref Ref }

// LeavesByItself: the worker announced that it is stopping without having been told to.
type LeavesByItself struct{ Ref Ref }

// BecameUnready: the worker lives, but says, or is seen, not to serve for now. BecameReady takes it back.
type BecameUnready struct{ Ref Ref }

// Failed: the worker lives, and does not work: it does not answer, hangs, or missed its watchdog. It is replaced as soon
// as the pool can do without it, unless BecameReady or BecameUnready says before that it works again. One that starts has
// not become ready, and will not.
type Failed struct {
	Ref Ref
	Age time.Duration // since its start
}

// RecycleDue: the worker has lived long enough, has grown too big or has served enough, and is to be replaced when there
// is nothing else to do.
type RecycleDue struct{ Ref Ref }

// Died: the worker's leading process was reaped, or never came to be.
type Died struct {
	Ref     Ref
	Clean   bool          // it ended with a status that counts as success
	Age     time.Duration // since its start
	Remains bool          // processes of its group live on; Gone follows when they do not
	// Untold: the stop signal itself ended it. It had no handler, so it cannot have told those that remain.
	Untold bool
}

// Gone: the last process of a group that remained was reaped.
type Gone struct{ Ref Ref }

// TimerFired: a timer that was set and not stopped has ended.
type TimerFired struct{ Timer Timer }

// Claimed: a claim that was asked for has come, or one that was lost while its user was kept is had again.
type Claimed struct {
	Claim Claim
	Again bool
}

// Lapses: a claim will be lost soon, unless what keeps it can be reached.
type Lapses struct{ Claim Claim }

// Lost: a claim is not held any more, or will not be before its user could be told once more. Others may have it next.
type Lost struct{ Claim Claim }

// RollRequested: replace every worker.
type RollRequested struct{}

// ReloadRequested: make the workers read their configuration again, as the pool's policy says.
type ReloadRequested struct {
	// Safe lists the workers that are known to handle the reload signal: they declared it, or the kernel shows a
	// handler and their runtime does not catch everything.
	Safe []Ref
}

// DumpRequested: make the ready workers write a heap dump, one at a time.
type DumpRequested struct{}

// ScaleRequested: another number of workers is wanted. One that Spec.Validate does not allow is ignored.
type ScaleRequested struct{ Workers int }

// SpecChanged: the pool is wanted otherwise. One that Spec.Validate does not allow is ignored.
type SpecChanged struct {
	Spec Spec
	// Roll replaces every worker; if that fails, the specification goes back with the generation. Without it the new
	// one holds from now on.
	Roll bool
}

// AbortRequested: the rollout at hand has failed, because somebody says so. What is queued behind it is dropped.
type AbortRequested struct{}

// TermReceived: a termination signal arrived. The first stops gracefully, the second and third ask again, the fourth
// kills and exits.
type TermReceived struct{}

// StopRequested: stop gracefully. Unlike TermReceived it may be repeated without consequence.
type StopRequested struct {
	// Outlived: what waits in the queues is served by the workers of another process, which comes when this one has ended.
	Outlived bool
}

// KillRequested: kill everything and exit with 1, as the fourth termination signal does.
type KillRequested struct{}

func (BecameReady) event()     {}
func (BecameUnready) event()   {}
func (Failed) event()          {}
func (RecycleDue) event()      {}
func (LeavesByItself) event()  {}
func (Died) event()            {}
func (Gone) event()            {}
func (TimerFired) event()      {}
func (Claimed) event()         {}
func (Lapses) event()          {}
func (Lost) event()            {}
func (RollRequested) event()   {}
func (ReloadRequested) event() {}
func (DumpRequested) event()   {}
func (ScaleRequested) event()  {}
func (SpecChanged) event()     {}
func (AbortRequested) event()  {}
func (TermReceived) event()    {}
func (StopRequested) event()   {}
func (KillRequested) event()   {}
