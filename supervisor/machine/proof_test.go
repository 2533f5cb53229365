package machine

import (
	"testing"
	"time"
)

func TestMinReady(t *testing.T) {
	t.Run("the incumbent stays until its successor has proved itself", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, minReady))
		p.roll()
		p.ready(0, B)
		p.is("ready|proving2")
		p.did(SetTimer{Timer{ProvingTimer, Ref{0, B, 2}}, 5 * time.Second})
		p.did(Steer{[]Place{{0, A}, {0, B}}})
		p.fires(ProvingTimer, 0, B)
		p.is("settling|ready2")
	})
	t.Run("nobody else has anything to prove", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, minReady, noSettle))
		p.is("ready")
		p.roll()
		p.ready(0, B)
		p.fires(ProvingTimer, 0, B)
		p.ends(0, A)
		p.crash(0, B)
		p.ready(0, B)
		p.is("|ready2")
	})
	t.Run("stop-first does not count on it yet", func(t *testing.T) {
		p := serving(t, pool(2, 0, 1, stopFirst, noSettle, minReady))
		p.roll()
		p.ends(0, A)
		p.ready(0, A)
		p.is("proving2 ready")
		p.fires(ProvingTimer, 0, A)
		p.is("ready2 draining")
	})
	t.Run("it gets signals as one that serves", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, minReady, bySignal))
		p.roll()
		p.step(ReloadRequested{})
		p.ready(0, B)
		p.did(Relay{Ref{0, B, 2}, ForReload})
		p.step(ReloadRequested{})
		p.did(Relay{Ref{0, B, 2}, ForReload})
		p.step(DumpRequested{})
		p.fires(DumpTimer, 0, A)
		p.did(Relay{Ref{0, B, 2}, ForDump})
		if n := p.w.st.ReadySlots(); n != 1 {
			t.Errorf("%d slots serve", n)
		}
	})
}

// Whatever takes a worker away while it proves itself has failed the rollout; what is left of it leaves as ready ones do.
func TestProofNotStood(t *testing.T) {
	for _, tt := range []struct {
		name  string
		do    func(*play)
		cause RolloutCause
		is    string
	}{
		{"death", func(p *play) { p.crash(0, B) }, SuccessorDied, "ready ready"},
		{"a clean death of some age", func(p *play) { p.ends(0, B) }, SuccessorDied, "ready ready"},
		{"leaving by itself", func(p *play) { p.step(LeavesByItself{p.ref(0, B)}) }, SuccessorDied, "ready|retiring2 ready"},
		{"an abort", (*play).abort, Aborted, "ready|settling2 ready"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serving(t, pool(2, 1, 0, minReady))
			p.roll()
			p.ready(0, B)
			p.is("ready|proving2 ready")
			tt.do(p)
			p.is(tt.is)
			p.did(RolloutEnded{Target: 2, Cause: tt.cause})
			p.w.comesBack(t)
		})
	}
	t.Run("with nobody beside it, it serves until the previous generation does", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, minReady))
		p.roll()
		p.ready(0, B)
		p.crash(0, A)
		p.abort()
		p.is("starting|proving2")
		p.fires(ProvingTimer, 0, B) // does not help it
		p.is("starting|ready2")
		p.ready(0, A)
		p.is("ready|settling2")
	})
}

func TestCanary(t *testing.T) {
	canaryOnly := func(workers, surge int) Spec { return pool(workers, surge, 0, canary, noSettle) }
	t.Run("the others wait for it, whatever the surge", func(t *testing.T) {
		p := serving(t, canaryOnly(3, 3))
		p.roll()
		p.is("ready|starting2 ready ready")
		p.ready(0, B)
		p.is("ready|proving2 ready ready")
		p.did(SetTimer{Timer{ProvingTimer, Ref{0, B, 4}}, 10 * time.Second})
		p.fires(ProvingTimer, 0, B)
		p.is("draining|ready2 ready|starting2 ready|starting2")
		p.ready(1, B)
		p.is("draining|ready2 draining|ready2 ready|starting2") // with nothing to prove
	})
	t.Run("the longer of both counts for it, and the others have their own", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, noSettle, canary, minReady))
		p.roll()
		p.ready(0, B)
		p.did(SetTimer{Timer{ProvingTimer, Ref{0, B, 3}}, 10 * time.Second})
		p.fires(ProvingTimer, 0, B)
		p.ends(0, A)
		p.ready(1, B)
		p.did(SetTimer{Timer{ProvingTimer, Ref{1, B, 4}}, 5 * time.Second})
	})
	t.Run("a new slot is the best one to try", func(t *testing.T) {
		p := serving(t, canaryOnly(1, 1))
		p.rollTo(canaryOnly(3, 1))
		p.is("ready starting2 starting") // the other one begins with what is known to be good
		p.ready(1, A)
		p.fires(ProvingTimer, 1, A)
		p.ready(2, A)
		p.is("ready|starting2 ready2 ready")
	})
	t.Run("a broken slot as well, and one at a time", func(t *testing.T) {
		p := serving(t, canaryOnly(2, 1))
		for slot := range 2 {
			p.crash(slot, A)
			p.crash(slot, A)
		}
		p.is("waiting waiting")
		p.roll()
		p.is("starting2 waiting")
		p.ready(0, A)
		p.fires(ProvingTimer, 0, A)
		p.is("ready2 starting2")
	})
	t.Run("scaled away, the next one takes its part", func(t *testing.T) {
		p := serving(t, canaryOnly(1, 1))
		p.rollTo(canaryOnly(2, 1))
		p.ready(1, A)
		p.is("ready proving2")
		p.step(ScaleRequested{1})
		p.is("ready|starting2 draining2")
		p.ready(0, B)
		p.is("ready|proving2 draining2")
	})
}
