package machine

import (
	"testing"
	"time"
)

// exitsCleanly is a young worker that ends with success, without being told.
func (p *play) exitsCleanly(slot int, side Side) {
	p.t.Helper()
	p.step(Died{Ref: p.ref(slot, side), Clean: true})
}

func TestRestartOnFailure(t *testing.T) {
	p := serving(t, pool(2, 1, 0, onFailure))
	p.exitsCleanly(0, A)
	p.is("finished ready")
	p.did(Obituary{Ref: Ref{0, A, 1}, Next: NotRestarted})
	p.did(Abandon{Place{0, A}})
	p.late(Died{Ref: Ref{0, A, 1}})
	p.crash(1, A)
	p.is("finished starting")
	p.exitsCleanly(1, A) // never ready, but with success
	p.did(Exit{Code: 0})
}

func TestRestartNever(t *testing.T) {
	t.Run("the pool ends with its work, and says whether all went well", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, once))
		p.crash(0, A)
		p.is("finished ready")
		p.exitsCleanly(1, A)
		p.did(Exit{Code: 1})
	})
	t.Run("a dump that is under way does not outlive it", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, once))
		p.step(DumpRequested{})
		p.exitsCleanly(0, A)
		p.did(StopTimer{Timer{DumpTimer, Ref{0, A, 1}}})
		p.did(Exit{Code: 0})
	})
	t.Run("never ready is an end as well", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, once))
		p.step(ScaleRequested{1})
		p.ends(1, A)
		p.is("ready") // it was told to leave, and nobody is wanted
		p = begins(t, pool(1, 1, 0, once))
		p.fires(ReadyTimer, 0, A)
		p.is("draining")
		p.fires(GraceTimer, 0, A)
		p.ends(0, A)
		p.did(Exit{Code: 1})
	})
	t.Run("who leaves by itself is waited for", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, once))
		p.step(LeavesByItself{p.ref(0, A)})
		p.is("retiring")
		p.didNot(Abandon{})
		p.fires(GraceTimer, 0, A)
		p.ends(0, A)
		p.did(Exit{Code: 1})
	})
	t.Run("it has not finished while others of its group live", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, once))
		p.step(Died{Ref: p.ref(0, A), Clean: true, Remains: true})
		p.is("draining")
		p.did(Obituary{Next: NotRestarted})
		p.step(Gone{p.ref(0, A)})
		p.did(Exit{Code: 0})
	})
}

func TestFinishedSlots(t *testing.T) {
	finishedBeside := func(t *testing.T, change ...func(*Spec)) *play {
		t.Helper()
		p := serving(t, pool(2, 1, 0, append(change, onFailure)...))
		p.exitsCleanly(1, A)
		p.is("ready finished")
		return p
	}
	t.Run("a rollout runs them again", func(t *testing.T) {
		p := finishedBeside(t)
		p.roll()
		p.is("ready starting2")
		p.exitsCleanly(1, A)
		p.is("ready|starting2 finished2")
		p.ready(0, B)
		p.is("settling|ready2 finished2") // nobody is missing there
		p.fires(SettleTimer, 0, A)
		p.ends(0, A)
		p.did(RolloutEnded{Target: 2, Cause: RolledOut})
	})
	t.Run("who serves where another has finished stays until its turn comes", func(t *testing.T) {
		p := serving(t, pool(2, 2, 1, onFailure))
		p.roll()
		p.step(LeavesByItself{p.ref(1, A)})
		p.ready(1, B)
		p.crash(0, B)
		p.roll()
		p.is("ready|starting3 retiring|ready2")
		p.unready(0, A)
		p.exitsCleanly(1, A)
		p.is("unready|starting3 starting3|ready2")
	})
	t.Run("those whose turn has not come stay when it fails", func(t *testing.T) {
		p := finishedBeside(t, canary)
		p.exitsCleanly(0, A)
		p.did(Exit{Code: 0})
		p = finishedBeside(t)
		p.roll()
		p.crash(1, A)
		p.did(RolloutEnded{Target: 2, Cause: SuccessorDied})
		p.is("ready starting") // it has had its turn: the previous generation runs again
	})
	t.Run("a successor that ends well has rolled its slot", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, once, noSettle))
		p.roll()
		p.exitsCleanly(0, B)
		p.is("draining|finished2")
		p.ends(0, A)
		p.did(RolloutEnded{Target: 2, Cause: RolledOut})
		p.did(Exit{Code: 0})
	})
	t.Run("one that is left of a failed rollout does not keep its slot from the next one", func(t *testing.T) {
		p := serving(t, pool(2, 2, 0, onFailure))
		p.roll()
		p.crash(1, A)
		p.ready(0, B)
		p.crash(1, B)
		p.is("ready|ready2 starting") // I3 keeps both
		p.exitsCleanly(0, A)
		p.is("finished|ready2 starting")
		p.roll()
		p.is("starting3|ready2 starting|starting3")
		p.w.comesBack(t)

		// If that one fails as well, both sides are taken by what is not wanted, and one has to go first.
		p.ready(0, A)
		p.crash(1, B)
		p.is("ready3|ready2 starting")
		p.ready(1, A)
		p.is("ready3|settling2 ready")
		p.w.comesBack(t)
	})
	t.Run("one that does not has failed", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, once, minReady))
		p.roll()
		p.ready(0, B)
		p.step(LeavesByItself{p.ref(0, B)})
		p.is("ready|retiring2")
		p.didNot(RolloutEnded{})
		p.crash(0, B)
		p.did(RolloutEnded{Target: 2, Cause: SuccessorDied})
		p.is("ready")
	})
	t.Run("scaled away and back they begin anew", func(t *testing.T) {
		p := finishedBeside(t)
		p.step(ScaleRequested{1})
		p.is("ready")
		p.step(ScaleRequested{2})
		p.is("ready starting")
	})
	t.Run("another policy wants them back", func(t *testing.T) {
		p := serving(t, pool(3, 1, 0, once))
		p.crash(1, A)
		p.exitsCleanly(2, A)
		p.is("ready finished finished")
		p.change(pool(3, 1, 0, onFailure))
		p.is("ready starting finished")
		p.change(pool(3, 1, 0))
		p.is("ready starting starting")
	})
	t.Run("who has another one beside it already is not the last", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.step(LeavesByItself{p.ref(0, A)})
		p.ready(0, B)
		p.change(pool(1, 1, 0, onFailure))
		p.step(Died{Ref: p.ref(0, A), Clean: true, Age: time.Hour})
		p.is("|ready")
		p.crash(0, B)
		p.is("|starting")
	})
}
