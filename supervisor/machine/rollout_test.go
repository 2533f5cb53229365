package machine

import "testing"

func TestRolloutTurnByTurn(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.roll()
	p.is("ready|starting2 ready")
	p.ready(0, B)
	p.is("settling|ready2 ready")
	p.did(Steer{[]Place{{0, B}, {1, A}}})
	p.fires(SettleTimer, 0, A)
	p.is("draining|ready2 ready")
	p.did(Abandon{Place{0, A}})
	p.ends(0, A)
	p.is("|ready2 ready|starting2")
	p.ready(1, B)
	p.fires(SettleTimer, 1, A)
	p.ends(1, A)
	p.is("|ready2 |ready2")
	p.did(RolloutEnded{Target: 2, Cause: RolledOut})
}

func TestStopFirstRolloutOfOne(t *testing.T) {
	p := serving(t, pool(1, 0, 1, stopFirst))
	p.roll()
	p.is("settling")
	p.did(Adopt{Place{0, B}})
	p.did(Steer{[]Place{{0, B}}}) // nobody is there: what comes waits for the successor
	p.fires(SettleTimer, 0, A)
	p.is("draining")
	p.did(Abandon{Place{0, A}})
	p.ends(0, A)
	p.is("|starting2") // where connections wait
	p.ready(0, B)
	p.did(RolloutEnded{Target: 2, Cause: RolledOut})
}

func TestFailedRollout(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fail  func(*play)
		cause RolloutCause
		is    string
	}{
		{"it dies before it is ready", func(p *play) { p.crash(1, B) }, SuccessorDied, "settling|ready2 ready"},
		{"it is not ready in time", func(p *play) { p.fires(ReadyTimer, 1, B) }, SuccessorLate, "settling|ready2 ready|draining2"},
		{"one that is through crashes", func(p *play) { p.crash(0, B) }, SuccessorDied, "starting ready|draining2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serving(t, pool(2, 1, 0))
			p.roll()
			p.ready(0, B)
			p.fires(SettleTimer, 0, A)
			p.ends(0, A)
			p.is("|ready2 ready|starting2")
			tt.fail(p)
			p.did(RolloutEnded{Target: 2, Cause: tt.cause})
			p.w.comesBack(t)
		})
	}
}

// comesBack lets everything happen that happens by itself, and checks that the generation known to be good serves.
func (w *world) comesBack(t *testing.T) {
	t.Helper()
	for range 100 {
		w.left = budget{}
		helped := false
		for _, h := range w.possible(nil) {
			if !h.helps || h.late {
				continue
			}
			to, err := w.after(h)
			if err != nil {
				t.Fatal(err)
			}
			w, helped = to, true
			break
		}
		if !helped {
			if err := w.arrived(); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("never comes to rest")
}

// A worker that was only steered away from is taken back when the rollout fails: it has not been told yet.
func TestFailedRolloutReinstatesTheSettling(t *testing.T) {
	p := serving(t, pool(2, 2, 0))
	p.roll()
	p.is("ready|starting2 ready|starting2")
	p.ready(0, B)
	p.is("settling|ready2 ready|starting2")
	p.crash(1, B)
	p.is("ready|settling2 ready")
	p.did(Steer{[]Place{{0, A}, {1, A}}})
	p.did(StopTimer{Timer{SettleTimer, Ref{0, A, 1}}})
}

func TestQueuedRollouts(t *testing.T) {
	t.Run("two requests share the one that follows", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, noSettle))
		p.roll()
		p.roll()
		p.roll()
		p.didNot(RolloutStarted{})
		p.ready(0, B)
		p.ends(0, A)
		p.did(RolloutEnded{Target: 2, Cause: RolledOut})
		p.did(RolloutStarted{Target: 3})
		p.is("starting3|ready2")
		p.ready(0, A)
		p.ends(0, B)
		p.did(RolloutEnded{Target: 3})
		p.didNot(RolloutStarted{})
	})
	t.Run("it follows a failure as well", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.roll()
		p.roll()
		p.crash(0, B)
		p.did(RolloutEnded{Target: 2, Cause: SuccessorDied})
		p.did(RolloutStarted{Target: 3})
		p.is("ready|starting3")
	})
	t.Run("while the way back is under way a new one begins at once", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.roll()
		p.fires(ReadyTimer, 0, B)
		p.is("ready|draining2")
		p.roll()
		p.did(RolloutStarted{Target: 3})
		p.is("ready|draining2")
		p.ends(0, B)
		p.is("ready|starting3")
	})
}

func TestCrashesDuringARollout(t *testing.T) {
	t.Run("in a slot whose turn has not come the old generation restarts", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.roll()
		p.crash(1, A)
		p.is("ready|starting2 starting")
		p.ready(0, B)
		p.is("ready|ready2 starting") // I3: the other slot does not serve
		p.ready(1, A)
		p.is("settling|ready2 ready")
	})
	t.Run("the incumbent dies while its successor starts: its queue waits for the successor", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.roll()
		p.crash(0, A)
		p.is("|starting2")
		p.didNot(Abandon{})
		p.ready(0, B)
		p.did(Abandon{Place{0, A}})
		p.did(RolloutEnded{Target: 2, Cause: RolledOut})
	})
	t.Run("a broken slot is rolled first, without its backoff", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.crash(1, A)
		p.crash(1, A)
		p.is("ready waiting")
		p.roll()
		p.is("ready starting2")
	})
}

func TestScaleDuringARollout(t *testing.T) {
	p := serving(t, pool(2, 1, 0, spareID))
	p.roll()
	p.step(ScaleRequested{3})
	p.is("ready|starting2 ready starting") // the new slot begins with what is known to be good
	p.step(ScaleRequested{1})
	p.is("ready|starting2 settling draining")
	p.ready(0, B)
	p.is("settling|ready2 settling draining")
}

// Both are ready and the old one is held back by I3: when the new one fails, the slot's queue is at the old one again.
func TestHomeReturnsWhenTheSuccessorDies(t *testing.T) {
	p := begins(t, pool(2, 1, 0))
	p.ready(0, A)
	p.roll()
	p.ready(0, B)
	p.is("ready|ready2 starting")
	p.crash(0, B)
	p.did(Abandon{Place{0, B}})
	p.is("ready starting")
}
