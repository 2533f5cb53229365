package machine

import (
	"testing"
	"time"
)

// TestEvents tells, event by event, what one piece of news does to a pool of two that serves.
func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*play)
		is   string
		did  []Action
	}{
		{"a roll starts a successor across", (*play).roll, "ready|starting2 ready", []Action{
			RolloutStarted{Target: 2},
			Adopt{Place{0, B}},
			Start{Ref: Ref{0, B, 3}, ID: 2, Generation: 2},
			SetTimer{Timer{ReadyTimer, Ref{0, B, 3}}, time.Minute},
		}},
		{"a crash is replaced in its place, at once", func(p *play) { p.crash(1, A) }, "ready starting", []Action{
			Steer{[]Place{{0, A}}}, Start{Ref: Ref{1, A, 3}, ID: 1, Generation: 1}, Obituary{Ref: Ref{1, A, 2}, Next: RestartNow},
		}},
		{"a leader dies before its group: the rest is told, and keeps its id", func(p *play) {
			p.step(Died{Ref: p.ref(1, A), Remains: true})
		}, "ready draining|starting", []Action{
			TerminateRemains{Ref{1, A, 2}},
			SetTimer{Timer{GraceTimer, Ref{1, A, 2}}, 30 * time.Second},
			Start{Ref: Ref{1, B, 3}, ID: 2, Generation: 1},
		}},
		{"a leader dies of the stop signal itself: those it did not tell are told", func(p *play) {
			p.step(TermReceived{})
			p.step(Died{Ref: p.ref(1, A), Remains: true, Untold: true})
		}, "draining draining", []Action{TerminateRemains{Ref{1, A, 2}}}},
		{"a worker that leaves by itself gets its grace and a successor", func(p *play) {
			p.step(LeavesByItself{Ref: p.ref(0, A)})
		}, "retiring|starting ready", []Action{
			Steer{[]Place{{1, A}}}, SetTimer{Timer{GraceTimer, Ref{0, A, 1}}, 30 * time.Second},
		}},
		{"fewer are wanted: settle first", func(p *play) { p.step(ScaleRequested{1}) }, "ready settling", []Action{
			Steer{[]Place{{0, A}}}, SetTimer{Timer{SettleTimer, Ref{1, A, 2}}, time.Second},
		}},
		{"a term tells everybody", func(p *play) { p.step(TermReceived{}) }, "draining draining", []Action{
			Terminate{Ref{0, A, 1}, WhyStopping}, Terminate{Ref{1, A, 2}, WhyStopping},
		}},
		{"a kill ends all in one step", func(p *play) { p.step(KillRequested{}) }, "killed killed", []Action{
			Kill{Ref{0, A, 1}}, Kill{Ref{1, A, 2}}, Exit{Code: 1},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serving(t, pool(2, 1, 0))
			tt.do(p)
			p.is(tt.is)
			for _, a := range tt.did {
				p.did(a)
			}
		})
	}
}

func TestTimers(t *testing.T) {
	p := begins(t, pool(1, 1, 0))
	p.fires(ReadyTimer, 0, A)
	p.is("draining|starting")
	p.did(Terminate{Why: WhyNeverReady})
	p.fires(GraceTimer, 0, A)
	p.is("killed|starting")
	p.did(Kill{Ref{0, A, 1}})
	p.ends(0, A)
	p.is("|starting")
	p.ready(0, B)
	p.roll()
	p.ready(0, A)
	p.is("ready2|settling")
	p.fires(SettleTimer, 0, B)
	p.is("ready2|draining")
	p.did(Terminate{Why: WhyReplaced})
	p.didNot(Steer{}) // it was steered away from when it settled
}

func TestLateNewsIsDropped(t *testing.T) {
	p := serving(t, pool(1, 1, 0))
	old := p.ref(0, A)
	p.late(BecameReady{old})
	p.late(TimerFired{Timer{ReadyTimer, old}})
	p.crash(0, A)
	for _, ev := range []Event{
		BecameReady{old},
		LeavesByItself{old},
		Died{Ref: old},
		Gone{old},
		TimerFired{Timer{ReadyTimer, old}},
		Died{Ref: Ref{Slot: 99, Inc: 1}},
		Gone{Ref{Slot: -1, Inc: 1}},
		BecameReady{},
	} {
		p.late(ev)
	}
}

// A worker that says it is stopping before it was ever ready cannot hold up the rollout that waits for it.
func TestSuccessorThatLeavesBeforeItIsReadyFailsTheRollout(t *testing.T) {
	p := serving(t, pool(1, 1, 0))
	p.roll()
	p.step(LeavesByItself{p.ref(0, B)})
	p.is("ready|draining2")
	p.did(RolloutEnded{Target: 2, Cause: SuccessorDied})
}

// Nobody gets two graces: leaving by oneself counts.
func TestGraceRunsOnWhenARetiringLeaderDies(t *testing.T) {
	p := serving(t, pool(1, 1, 0))
	p.step(LeavesByItself{p.ref(0, A)})
	p.step(Died{Ref: p.ref(0, A), Remains: true})
	p.is("draining|starting")
	p.didNot(SetTimer{Timer: Timer{Kind: GraceTimer, Ref: p.ref(0, A)}})
	p.fires(GraceTimer, 0, A)
	p.is("killed|starting")
}

func TestScaleBeyondTheWorkerIDsChangesNothing(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.late(ScaleRequested{3})
	p.late(ScaleRequested{0})
	p.late(ScaleRequested{2})
}

func TestStepNeverChangesTheStateItIsGiven(t *testing.T) {
	p := serving(t, pool(2, 1, 0))
	p.step(DumpRequested{})
	before := string(p.w.encode(nil))
	for _, ev := range allEvents(p.ref(0, A)) {
		Step(p.w.st, ev)
		if string(p.w.encode(nil)) != before {
			t.Fatalf("%T changed the state that it was given", ev)
		}
	}
}

func TestUnknownEventPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	st, _ := New(pool(1, 1, 0))
	Step(st, nil)
}
