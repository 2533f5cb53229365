package machine

import "testing"

func (p *play) due(slot int, side Side) { p.t.Helper(); p.step(RecycleDue{p.ref(slot, side)}) }

func TestRecycleStartsFirst(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.due(0, A)
	p.is("ready|starting ready")
	p.ready(0, B)
	p.is("settling|ready ready")
	p.fires(SettleTimer, 0, A)
	p.did(Terminate{Ref{0, A, 1}, WhyRecycled})
	p.ends(0, A)
	p.is("|ready ready")
	p.did(SetTimer{Timer: Timer{RecycleTimer, Ref{0, A, 1}}})
}

// Four of four must not be recycled within seconds.
func TestRecycleOneAtATimeWithAGap(t *testing.T) {
	p := serving(t, pool(2, 1, 0, noSettle))
	p.due(0, A)
	p.due(1, A)
	p.is("ready|starting ready")
	p.ready(0, B)
	p.ends(0, A)
	p.is("|ready ready")
	p.step(TimerFired{Timer{RecycleTimer, Ref{0, A, 1}}})
	p.is("|ready ready|starting")
}

func TestRecycleStopsFirstWhereNobodyMayOverlap(t *testing.T) {
	p := serving(t, pool(1, 0, 1, stopFirst, noSettle))
	p.due(0, A)
	p.is("draining")
	p.ends(0, A)
	p.is("starting")
}

func TestRecycleWaitsForARollout(t *testing.T) {
	p := serving(t, pool(2, 1, 0, noSettle))
	p.roll()
	p.due(1, A)
	p.is("ready|starting2 ready")
	p.crash(0, B) // the rollout fails, so the worker stays what it was
	p.is("ready ready|starting")
}

// Two are ready in its slot for a moment, and nobody else may go for that.
func TestRolloutDoesNotRelyOnWhoIsRecycled(t *testing.T) {
	p := serving(t, pool(3, 3, 0))
	p.due(2, A)
	p.roll()
	p.crash(1, A)
	p.ready(0, B)
	p.is("ready|ready2 |starting2 ready|starting")
	p.ready(2, B)
	p.is("ready|ready2 |starting2 settling|ready")
}

func TestRecycledWorkerStaysIfItsSuccessorFails(t *testing.T) {
	for name, fail := range map[string]func(*play){
		"dies":      func(p *play) { p.crash(0, B) },
		"late":      func(p *play) { p.fires(ReadyTimer, 0, B) },
		"never fit": func(p *play) { p.failsAt(0, B) },
	} {
		t.Run(name, func(t *testing.T) {
			p := serving(t, pool(2, 1, 0))
			p.due(0, A)
			fail(p)
			if h := p.w.health(index(0, A)); h != Ready {
				t.Fatalf("it is %v", h)
			}
			p.did(SetTimer{Timer: Timer{RecycleTimer, Ref{0, A, 1}}})
			if p.w.health(index(0, B)) == Draining {
				p.ends(0, B)
			}
			p.is("ready ready")
			p.step(TimerFired{Timer{RecycleTimer, Ref{0, A, 1}}})
			p.is("ready|starting ready") // its turn comes again
		})
	}
}

// Another slot that is broken is no reason to let a worker grow without end.
func TestRecycleBesideABrokenSlot(t *testing.T) {
	p := serving(t, pool(2, 1, 0, noSettle))
	p.crash(1, A)
	p.due(0, A)
	p.is("ready|starting starting")
	p.ready(0, B)
	p.is("draining|ready starting")
}

func TestRecycleOfOneThatDiesIsOver(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.due(0, A)
	p.crash(0, A)
	p.is("|starting ready")
	p.ready(0, B)
	p.is("|ready ready")
}

func TestStopEndsTheGap(t *testing.T) {
	p := serving(t, pool(1, 1, 0, noSettle))
	p.due(0, A)
	p.ready(0, B)
	p.ends(0, A)
	p.step(StopRequested{})
	p.did(StopTimer{Timer{RecycleTimer, Ref{0, A, 1}}})
}
