package machine

import (
	"testing"
	"time"
)

func TestTermLadder(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.step(TermReceived{})
	p.is("draining draining")
	p.step(TermReceived{})
	p.did(StillHere{Terms: 2, Workers: 2})
	p.did(Terminate{Ref{0, A, 1}, WhyStopping})
	p.fires(GraceTimer, 0, A)
	p.is("killed draining")
	p.step(TermReceived{})
	p.did(StillHere{Terms: 3, Workers: 2})
	p.didNot(Terminate{Ref: Ref{0, A, 1}}) // who was killed is not asked again
	p.step(TermReceived{})
	p.did(Kill{Ref{0, A, 1}})
	p.did(Kill{Ref{1, A, 2}})
	p.did(Exit{Code: 1})
	p.late(TermReceived{})
}

// The fourth termination exits at once, whatever the pool was at when they came in a row.
func TestFourTermsInARowFromAnywhere(t *testing.T) {
	for name, do := range map[string]func(*play){
		"starting":  func(p *play) { p.crash(0, A) },
		"waiting":   func(p *play) { p.crash(0, A); p.crash(0, A) },
		"rolling":   (*play).roll,
		"settling":  func(p *play) { p.roll(); p.ready(0, B) },
		"retiring":  func(p *play) { p.step(LeavesByItself{p.ref(0, A)}) },
		"remaining": func(p *play) { p.step(Died{Ref: p.ref(0, A), Remains: true}) },
		"dumping":   func(p *play) { p.step(DumpRequested{}) },
		"reverting": func(p *play) { p.roll(); p.fires(ReadyTimer, 0, B) },
		"stopping":  func(p *play) { p.step(StopRequested{}) },
	} {
		t.Run(name, func(t *testing.T) {
			p := serving(t, pool(2, 1, 0))
			do(p)
			for range forcedAt {
				p.step(TermReceived{})
			}
			p.did(Exit{Code: 1})
		})
	}
}

func TestGracefulStop(t *testing.T) {
	t.Run("exit 0 when the last one is reaped, after its obituary", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.step(StopRequested{})
		p.late(StopRequested{})
		p.late(RollRequested{})
		p.late(ScaleRequested{2})
		p.ends(0, A)
		p.did(Obituary{Next: NotRestarted})
		if _, last := p.acts[len(p.acts)-1].(Exit); !last {
			t.Errorf("the exit is not the last of %+v", p.acts)
		}
	})
	t.Run("a settling worker is not forgotten", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(ScaleRequested{1})
		p.is("ready settling")
		p.step(TermReceived{})
		p.is("draining draining")
	})
	t.Run("a retiring one keeps its grace, and is told when it is asked for again", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.step(LeavesByItself{p.ref(0, A)})
		p.step(TermReceived{})
		p.is("retiring|draining")
		p.step(TermReceived{})
		p.is("draining|draining")
		p.did(Terminate{Ref: Ref{0, A, 1}})
	})
	t.Run("with nobody there it ends in the same step", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.crash(0, A)
		p.crash(0, A)
		p.is("waiting")
		p.step(TermReceived{})
		p.did(Exit{})
	})
}

// A rollout has an end in every case, also when a kill overtakes it.
func TestRolloutEndsWithTheStop(t *testing.T) {
	for _, ev := range []Event{TermReceived{}, StopRequested{}, KillRequested{}} {
		p := serving(t, pool(1, 1, 0))
		p.roll()
		p.step(ev)
		p.did(RolloutEnded{Target: 2, Cause: StopCame})
	}
}

func TestStopDelay(t *testing.T) {
	delayed := pool(2, 1, 0, stopDelay)
	t.Run("who serves goes on, who starts leaves", func(t *testing.T) {
		p := serving(t, delayed)
		p.crash(1, A)
		p.step(StopRequested{})
		p.is("settling draining")
		p.did(SetTimer{Timer{SettleTimer, Ref{0, A, 1}}, 3 * time.Second})
		p.didNot(Steer{})
		p.late(StopRequested{})
		p.ends(1, A)
		p.fires(SettleTimer, 0, A)
		p.is("draining ")
		p.did(Terminate{Ref{0, A, 1}, WhyStopping})
		p.ends(0, A)
		p.did(Exit{Code: 0})
	})
	t.Run("a worker that settles already keeps its time", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, stopDelay, func(s *Spec) { s.Settle = time.Minute }))
		p.step(ScaleRequested{1})
		p.did(SetTimer{Timer{SettleTimer, Ref{1, A, 2}}, time.Minute})
		p.step(TermReceived{})
		p.is("settling settling")
		p.didNot(SetTimer{Timer: Timer{SettleTimer, Ref{1, A, 2}}})
	})
	t.Run("the second termination cuts it short", func(t *testing.T) {
		p := serving(t, delayed)
		p.step(TermReceived{})
		p.is("settling settling")
		p.step(TermReceived{})
		p.is("draining draining")
		p.did(StillHere{Terms: 2, Workers: 2})
		p.did(StopTimer{Timer{SettleTimer, Ref{0, A, 1}}})
	})
	t.Run("so does the first after another stop", func(t *testing.T) {
		p := serving(t, delayed)
		p.step(StopRequested{})
		p.step(TermReceived{})
		p.is("draining draining")
	})
	t.Run("a kill does not wait", func(t *testing.T) {
		p := serving(t, delayed)
		p.step(TermReceived{})
		p.step(KillRequested{})
		p.did(Exit{Code: 1})
	})
	t.Run("giving up does not wait either", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, stopDelay, givesUpAt2))
		p.crash(0, A)
		p.crash(0, A)
		p.is(" draining")
	})
	t.Run("it is the least settle time of one that is replaced", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, stopDelay, noSettle))
		p.roll()
		p.ready(0, B)
		p.is("settling|ready2")
		p.did(SetTimer{Timer{SettleTimer, Ref{0, A, 1}}, 3 * time.Second})
	})
}

// A pool may be stopped before it has begun: it has no slots yet.
func TestStopBeforeTheBeginning(t *testing.T) {
	spec := pool(2, 1, 0)
	st, actions := Step(State{Spec: spec, Generation: 1}, StopRequested{})
	if st.Phase != Exited || len(actions) != 1 || actions[0] != (Exit{Code: 0}) {
		t.Errorf("phase %v, actions %+v", st.Phase, actions)
	}
}
