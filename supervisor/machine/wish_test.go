package machine

import (
	"testing"
	"time"
)

func (p *play) change(spec Spec) { p.t.Helper(); p.step(SpecChanged{Spec: spec}) }
func (p *play) rollTo(spec Spec) { p.t.Helper(); p.step(SpecChanged{Spec: spec, Roll: true}) }
func (p *play) abort()           { p.t.Helper(); p.step(AbortRequested{}) }

func (p *play) wants(spec Spec) {
	p.t.Helper()
	if p.w.st.Spec != spec {
		p.t.Fatalf("wanted is  %+v\nand should be %+v", p.w.st.Spec, spec)
	}
}

func TestSpecChangeWithoutARollout(t *testing.T) {
	t.Run("what is the same touches nobody", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.change(pool(2, 3, 1, stopFirst, func(s *Spec) { s.Grace = time.Hour }))
		if len(p.acts) > 0 {
			t.Errorf("%+v", p.acts)
		}
		p.step(TermReceived{})
		p.did(SetTimer{Timer{GraceTimer, Ref{0, A, 1}}, time.Hour})
	})
	t.Run("one that cannot be is ignored", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.late(SpecChanged{Spec: pool(0, 1, 0)})
		p.late(SpecChanged{Spec: pool(2, 0, 0), Roll: true})
	})
	t.Run("more and fewer workers", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.change(pool(3, 1, 0))
		p.is("ready starting starting")
		p.change(pool(2, 1, 0))
		p.is("ready starting draining")
	})
	t.Run("worker ids of another range come with the next workers", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.change(pool(2, 1, 0, func(s *Spec) { s.FirstID, s.LastID = 100, 102 }))
		p.is("ready ready")
		p.crash(1, A)
		p.did(Start{Ref: p.ref(1, A), ID: 100, Generation: 1})
		p.change(pool(2, 1, 0, func(s *Spec) { s.FirstID, s.LastID = 0, 3 }))
		p.crash(0, A)
		p.did(Start{Ref: Ref{0, A, 4}, Generation: 1}) // worker id 0 is free again
	})
	t.Run("a time to become ready begins and ends for those that start", func(t *testing.T) {
		p := begins(t, pool(1, 1, 0, noTimeout))
		timer := Timer{ReadyTimer, Ref{0, A, 1}}
		p.change(pool(1, 1, 0))
		p.did(SetTimer{timer, time.Minute})
		p.change(pool(1, 1, 0, func(s *Spec) { s.ReadyTimeout = time.Hour }))
		p.didNot(SetTimer{})
		p.change(pool(1, 1, 0, noTimeout))
		p.did(StopTimer{timer})
		p.late(TimerFired{timer})
	})
	t.Run("during a rollout: it goes on under the new one, which stays if it fails", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.rollTo(pool(2, 1, 0, noTimeout))
		changed := pool(2, 2, 0, noSettle)
		p.change(changed)
		p.is("ready|starting2 ready|starting2")
		p.crash(0, B)
		p.wants(changed)
	})
	t.Run("stop-first waits for a worker that leaves, also when a backoff ends beside it", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.crash(0, A)
		p.ready(0, A)
		p.step(LeavesByItself{p.ref(0, A)})
		p.crash(0, B)
		p.is("retiring|waiting")
		p.change(pool(1, 0, 1, stopFirst))
		p.fires(BackoffTimer, 0, B)
		p.is("retiring")
		p.fires(GraceTimer, 0, A)
		p.ends(0, A)
		p.w.comesBack(t)
	})
}

func TestSpecChangeWithARollout(t *testing.T) {
	t.Run("a failure takes it back, with the number of workers", func(t *testing.T) {
		old, wider := pool(1, 1, 0), pool(3, 1, 0)
		p := serving(t, old)
		p.rollTo(wider)
		p.is("ready starting2 starting2") // new slots do not begin with the old generation
		p.ready(1, A)
		p.crash(2, A)
		p.did(RolloutEnded{Target: 2, Cause: SuccessorDied})
		p.wants(old)
		p.is("ready settling2")
	})
	t.Run("slots that it removed come back", func(t *testing.T) {
		old := pool(3, 1, 0)
		p := serving(t, old)
		p.rollTo(pool(1, 1, 0, noTimeout, func(s *Spec) { s.LastID = 3 }))
		p.is("ready|starting2 settling settling")
		p.fires(SettleTimer, 2, A)
		p.ends(2, A)
		p.crash(0, B)
		p.wants(old)
		p.is("ready ready starting")
		p.did(SetTimer{Timer{ReadyTimer, p.ref(2, A)}, time.Minute})
	})
	t.Run("queued: the latest wins, and is in force when its rollout begins", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, noSettle))
		last := pool(2, 1, 0, noSettle)
		p.roll()
		p.rollTo(pool(3, 1, 0))
		p.rollTo(last)
		p.roll() // shares it
		p.is("ready|starting2")
		p.ready(0, B)
		p.ends(0, A)
		p.did(RolloutStarted{Target: 3})
		p.wants(last)
		p.is("|ready2 starting3")
		p.crash(1, A)
		p.wants(pool(1, 1, 0, noSettle))
	})
	t.Run("queued behind one that fails: what was before both comes back if it fails as well", func(t *testing.T) {
		old := pool(1, 1, 0)
		p := serving(t, old)
		p.rollTo(pool(2, 1, 0))
		p.rollTo(pool(3, 1, 0))
		p.crash(1, A)
		p.did(RolloutStarted{Target: 3})
		p.wants(pool(3, 1, 0))
		p.crash(1, A)
		p.wants(old)
	})
	t.Run("a queued roll of no specification keeps what is in force", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.rollTo(pool(2, 1, 0))
		p.roll()
		p.crash(1, A)
		p.wants(pool(1, 1, 0))
	})
	t.Run("a later one that needs no rollout replaces what is queued", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.roll()
		p.rollTo(pool(3, 1, 0))
		p.change(pool(2, 1, 0))
		p.crash(0, B)
		p.did(RolloutStarted{Target: 3})
		p.wants(pool(2, 1, 0))
	})
}

// What a user wants by hand is no part of what the rollout tries out.
func TestScaleSurvivesARollout(t *testing.T) {
	ids := func(s *Spec) { s.LastID = 9 }
	p := serving(t, pool(2, 1, 0, ids))
	p.rollTo(pool(3, 1, 0, ids, noSettle))
	p.rollTo(pool(1, 1, 0, func(s *Spec) { s.LastID = 4 }))
	p.step(ScaleRequested{5}) // the queued one has no ids for it
	p.abort()
	p.wants(pool(5, 1, 0, ids))

	p = serving(t, pool(2, 1, 0, ids))
	p.rollTo(pool(3, 1, 0, ids, noSettle))
	p.rollTo(pool(1, 1, 0, func(s *Spec) { s.LastID = 4 }))
	p.step(ScaleRequested{4})
	p.crash(2, A)
	p.wants(pool(4, 1, 0, func(s *Spec) { s.LastID = 4 }))
}

func TestAbort(t *testing.T) {
	t.Run("as if the successor had failed", func(t *testing.T) {
		p := serving(t, pool(2, 2, 0))
		p.roll()
		p.ready(0, B)
		p.is("settling|ready2 ready|starting2")
		p.abort()
		p.did(RolloutEnded{Target: 2, Cause: Aborted})
		p.didNot(RolloutEnded{Cause: Aborted, Ref: Ref{1, B, 4}})
		p.is("ready|settling2 ready|draining2")
		p.w.comesBack(t)
	})
	t.Run("what is queued ends with it, and its number is not given again", func(t *testing.T) {
		old := pool(1, 1, 0)
		p := serving(t, old)
		p.roll()
		p.rollTo(pool(2, 1, 0))
		p.abort()
		p.did(RolloutEnded{Target: 2, Cause: Aborted})
		p.did(RolloutEnded{Target: 3, Cause: Aborted})
		p.didNot(RolloutStarted{})
		p.wants(old)
		p.roll()
		p.did(RolloutStarted{Target: 4})
	})
	t.Run("nothing to abort", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.late(AbortRequested{})
		p.roll()
		p.abort()
		p.is("ready|draining2")
		p.late(AbortRequested{}) // it is on its way back already
		p.step(TermReceived{})
		p.late(AbortRequested{})
	})
}
