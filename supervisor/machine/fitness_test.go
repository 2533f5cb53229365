package machine

import (
	"testing"
	"time"
)

func (p *play) unready(slot int, side Side) {
	p.t.Helper()
	p.step(BecameUnready{Ref: p.ref(slot, side)})
}

func (p *play) failsAt(slot int, side Side) { p.t.Helper(); p.step(Failed{Ref: p.ref(slot, side)}) }

func TestUnreadyIsKeptAndSteeredAwayFrom(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.unready(0, A)
	p.is("unready ready")
	p.did(Steer{Members: []Place{{1, A}}})
	p.didNot(Terminate{})
	p.ready(0, A)
	p.is("ready ready")
	p.did(Steer{Members: []Place{{0, A}, {1, A}}})
}

// What makes everybody unready lies outside: the last one must not get all connections.
func TestNobodyInServiceMeansEverybodyWhoIsUp(t *testing.T) {
	p := serving(t, pool(3, 1, 0))
	p.unready(0, A)
	p.unready(1, A)
	p.did(Steer{Members: []Place{{2, A}}})
	p.unready(2, A)
	p.did(Steer{Members: []Place{{0, A}, {1, A}, {2, A}}})
	p.ready(1, A)
	p.did(Steer{Members: []Place{{1, A}}})
}

func TestFailingIsTracedKilledAndReplacedInItsPlace(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.failsAt(0, A)
	p.is("tracing ready")
	p.did(Steer{Members: []Place{{1, A}}})
	p.did(Trace{Ref: Ref{0, A, 1}})
	p.did(SetTimer{Timer{TraceTimer, Ref{0, A, 1}}, 2 * time.Second})
	p.fires(TraceTimer, 0, A)
	p.is("reaping ready")
	p.did(Kill{Ref{0, A, 1}})
	p.ends(0, A)
	p.is("starting ready")
	p.did(Obituary{Ref: Ref{0, A, 1}, Next: RestartNow})
}

// A process that waits for a disk cannot be killed. Its slot gets another one all the same, if there is room.
func TestPlaceOfAFailingWorkerIsNotAwaitedForEver(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.failsAt(0, A)
	p.fires(TraceTimer, 0, A)
	p.fires(ReapTimer, 0, A)
	p.is("killed|starting ready")
}

func TestWithoutATimeForATraceItIsKilledAtOnce(t *testing.T) {
	p := serving(t, pool(2, 1, 0, noTrace))
	p.failsAt(0, A)
	p.is("reaping ready")
	p.did(Kill{Ref{0, A, 1}})
	p.didNot(Trace{})
}

// An outside failure that no restart cures must not become a storm of restarts.
func TestFailingWorkersStayWhileAnotherIsReplaced(t *testing.T) {
	p := serving(t, pool(4, 1, 0))
	for slot := range 4 {
		p.failsAt(slot, A)
	}
	p.is("tracing failing failing failing")
	p.did(Steer{Members: []Place{{1, A}, {2, A}, {3, A}}})
	p.ends(0, A)
	p.is("starting failing failing failing")
	p.ready(0, A)
	p.is("ready tracing failing failing")
	p.step(BecameReady{p.ref(2, A)}) // it was only slow
	p.is("ready tracing ready failing")
	p.step(BecameUnready{p.ref(3, A)}) // it is not ready, but it lives
	p.ends(1, A)
	p.ready(1, A)
	p.is("ready ready ready unready")
}

// What crashes again and again does not work, and is no reason to keep what does not work either.
func TestASlotThatCrashesDoesNotHoldUpRepairs(t *testing.T) {
	p := serving(t, pool(3, 1, 0))
	p.crash(0, A)
	p.crash(0, A)
	p.is("waiting ready ready")
	p.failsAt(1, A)
	p.is("waiting tracing ready")
	p.failsAt(2, A)
	p.is("waiting tracing failing")
	p.ends(1, A)
	p.crash(1, A)
	p.is("waiting waiting failing") // the repair has cured nothing
	p.fires(BackoffTimer, 1, A)
	p.ready(1, A)
	p.is("waiting ready tracing")
}

func TestFailuresSpaceTheReplacements(t *testing.T) {
	p := serving(t, pool(1, 1, 0))
	p.failsAt(0, A)
	p.ends(0, A)
	p.is("starting")
	p.ready(0, A)
	p.failsAt(0, A)
	p.ends(0, A)
	p.is("waiting")
	p.fires(BackoffTimer, 0, A)
	p.ready(0, A)
	p.step(Failed{Ref: p.ref(0, A), Age: stableAge})
	p.ends(0, A)
	p.is("starting") // the one before had lived long enough
}

func TestMaxUnavailableIsTheBudget(t *testing.T) {
	p := serving(t, pool(4, 1, 2))
	for slot := range 4 {
		p.failsAt(slot, A)
	}
	p.is("tracing tracing failing failing")
}

func TestFailedWhileStartingHasNotBecomeReady(t *testing.T) {
	p := begins(t, pool(1, 1, 0))
	p.failsAt(0, A)
	p.is("draining|starting")
	p.did(Terminate{Ref{0, A, 1}, WhyNeverReady})
}

func TestRolloutFailsWhenASuccessorIsNotReadyAnyMore(t *testing.T) {
	for name, ill := range map[string]func(*play){
		"proving and unready": func(p *play) { p.unready(0, B) },
		"proving and failing": func(p *play) { p.failsAt(0, B) },
		"proved and unready":  func(p *play) { p.fires(ProvingTimer, 0, B); p.unready(0, B) },
	} {
		t.Run(name, func(t *testing.T) {
			p := serving(t, pool(2, 1, 0, minReady))
			p.roll()
			p.ready(0, B)
			ill(p)
			p.did(RolloutEnded{Target: 2, Cause: SuccessorUnfit, Ref: Ref{0, B, 3}})
			if h := p.w.health(index(0, A)); h != Ready {
				t.Errorf("the incumbent is %v", h)
			}
		})
	}
}

// A slot that is unready by itself is replaced first, and does not hold up the others.
func TestRolloutBeginsWithTheUnready(t *testing.T) {
	p := serving(t, pool(2, 1, 0, noSettle))
	p.unready(1, A)
	p.roll()
	p.is("ready unready|starting2")
	p.ready(1, B)
	p.is("ready draining|ready2")
}

func TestUnreadyDuringATurnIsNoObstacle(t *testing.T) {
	p := serving(t, pool(2, 1, 0, noSettle))
	p.roll()
	p.unready(1, A)
	p.ready(0, B)
	p.is("draining|ready2 unready")
}

// With stop-first the way back must not take the last worker in service.
func TestStopFirstNeverLeavesNobody(t *testing.T) {
	p := serving(t, pool(2, 0, 1, stopFirst, noSettle, minReady))
	p.roll()
	p.ends(0, A)
	p.ready(0, A)
	p.fires(ProvingTimer, 0, A)
	p.ends(1, A)
	p.ready(1, A)
	p.unready(1, A)
	p.did(RolloutEnded{Target: 2, Cause: SuccessorUnfit})
	p.is("ready2 draining2")
}

// Two failed rollouts have left one each, and neither is in service: one of them stays.
func TestOneOfTwoUnreadyMakesRoom(t *testing.T) {
	p := claiming(t, pool(2, 2, 0, minReady, noSettle, claims))
	p.ready(0, A)
	p.ready(1, A)
	p.roll()
	p.gets(ToID)
	p.gets(ToID)
	p.ready(0, B)
	p.fires(ProvingTimer, 0, B)
	p.ends(0, A)
	p.ready(1, B)
	p.unready(1, B)
	p.roll()
	p.gets(ToID)
	p.crash(1, A)
	p.is("starting3|ready2 starting|draining2")
	p.unready(0, B)
	p.ready(0, A)
	p.unready(0, A)
	p.did(RolloutEnded{Target: 3, Cause: SuccessorUnfit})
	p.is("unready3|draining2 starting|draining2")
}

func TestSignalsReachTheUnready(t *testing.T) {
	p := serving(t, pool(2, 1, 0, bySignal))
	p.unready(0, A)
	p.step(ReloadRequested{})
	p.did(Relay{Ref: Ref{0, A, 1}, Purpose: ForReload})
	p.step(DumpRequested{})
	p.did(Relay{Ref: Ref{0, A, 1}, Purpose: ForDump})
}

func TestStopTellsTheUnreadyAndLeavesTheTracedAlone(t *testing.T) {
	p := serving(t, pool(3, 1, 0))
	p.failsAt(0, A)
	p.failsAt(1, A)
	p.unready(2, A)
	p.step(TermReceived{})
	p.is("tracing draining draining")
	p.step(TermReceived{})
	p.didNot(Terminate{Ref: Ref{0, A, 1}})
	p.did(StillHere{Terms: 2, Workers: 3})
}
