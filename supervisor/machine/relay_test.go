package machine

import "testing"

func TestReload(t *testing.T) {
	t.Run("relayed where everybody handles it", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(ReloadRequested{Safe: p.w.safe()})
		p.did(Relay{Ref{0, A, 1}, ForReload})
		p.did(Relay{Ref{1, A, 2}, ForReload})
		p.didNot(RolloutStarted{})
	})
	t.Run("rolled where one would die of it", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(ReloadRequested{Safe: []Ref{p.ref(0, A)}})
		p.didNot(Relay{})
		p.did(RolloutStarted{Target: 2})
	})
	t.Run("rolled while nobody is ready, and while a rollout is under way", func(t *testing.T) {
		p := begins(t, pool(1, 1, 0))
		p.step(ReloadRequested{})
		p.did(RolloutStarted{Target: 2})
		p.step(ReloadRequested{Safe: p.w.safe()})
		p.didNot(Relay{})
	})
	t.Run("by policy", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, bySignal))
		p.step(ReloadRequested{})
		p.did(Relay{Purpose: ForReload})
		p = serving(t, pool(1, 1, 0, alwaysRolls))
		p.step(ReloadRequested{Safe: p.w.safe()})
		p.did(RolloutStarted{Target: 2})
	})
	t.Run("who was starting gets it when ready, once", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.crash(1, A)
		p.step(ReloadRequested{Safe: p.w.safe()})
		p.step(ReloadRequested{Safe: p.w.safe()})
		p.didNot(Relay{Ref: p.ref(1, A)})
		p.ready(1, A)
		p.did(Relay{p.ref(1, A), ForReload})
		if n := len(p.w.st.Owed); n > 0 {
			t.Errorf("%d are owed", n)
		}
	})
}

// The last worker becomes ready, that ends the rollout, the queued one begins, and stop-first takes that very worker
// out of service in the same step: no signal for it.
func TestOwedReloadIsNotPaidToOneThatLeavesAtOnce(t *testing.T) {
	p := serving(t, pool(1, 0, 1, stopFirst, bySignal, noSettle))
	p.roll()
	p.ends(0, A)
	p.is("starting2")
	p.step(ReloadRequested{})
	p.roll()
	p.ready(0, A)
	p.is("draining2")
	p.didNot(Relay{})
}

func TestDumps(t *testing.T) {
	t.Run("one at a time, with a gap", func(t *testing.T) {
		p := serving(t, pool(3, 1, 0))
		p.step(DumpRequested{})
		p.did(Relay{Ref{0, A, 1}, ForDump})
		p.didNot(Relay{Ref: Ref{1, A, 2}, Purpose: ForDump})
		p.step(DumpRequested{}) // the first has had its signal and is asked again, the others wait already
		p.didNot(Relay{})
		p.fires(DumpTimer, 0, A)
		p.did(Relay{Ref{1, A, 2}, ForDump})
		p.fires(DumpTimer, 1, A)
		p.fires(DumpTimer, 2, A)
		p.did(Relay{Ref{0, A, 1}, ForDump})
		p.fires(DumpTimer, 0, A)
		p.didNot(Relay{})
		p.didNot(SetTimer{})
	})
	t.Run("who dies in between is passed over, and the gap after the one at it is kept", func(t *testing.T) {
		p := serving(t, pool(3, 1, 0))
		p.step(DumpRequested{})
		first := p.ref(0, A)
		p.crash(1, A)
		p.crash(0, A)
		p.didNot(Relay{})
		p.step(TimerFired{Timer{DumpTimer, first}})
		p.did(Relay{Ref{2, A, 3}, ForDump})
	})
	t.Run("a stop ends them", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(DumpRequested{})
		p.step(TermReceived{})
		p.did(StopTimer{Timer{DumpTimer, Ref{0, A, 1}}})
	})
}
