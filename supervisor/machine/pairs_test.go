package machine

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// allEvents is every kind of event, about one worker where it is about one.
func allEvents(ref Ref) []Event {
	events := []Event{
		BecameReady{ref},
		LeavesByItself{ref},
		Died{Ref: ref},
		Died{Ref: ref, Remains: true},
		Died{Ref: ref, Clean: true, Age: time.Hour},
		Gone{ref},
		RollRequested{},
		ReloadRequested{},
		ReloadRequested{Safe: []Ref{ref}},
		DumpRequested{},
		ScaleRequested{1},
		ScaleRequested{3},
		SpecChanged{},
		SpecChanged{Spec: pool(3, 1, 0)},
		SpecChanged{Spec: pool(1, 1, 1, stopFirst), Roll: true},
		AbortRequested{},
		Claimed{Claim: Claim{ID: 1, Fence: 3}},
		Claimed{Claim: Claim{Right: ToRoll, Fence: 4}},
		Lapses{Claim{ID: 1, Fence: 2}},
		Lost{Claim{ID: 1, Fence: 2}},
		TermReceived{},
		StopRequested{},
		KillRequested{},
	}
	for kind := BackoffTimer; kind <= DumpTimer; kind++ {
		events = append(events, TimerFired{Timer{kind, ref}})
	}
	return events
}

// TestAllPairs gives every event to a worker of every health, in every phase, beside every kind of neighbour across:
// also in states that no search ever reaches, Step does not panic and health moves along the diagram.
func TestAllPairs(t *testing.T) {
	spec := pool(2, 1, 0, spareID)
	for h := Waiting; h <= Killed; h++ {
		for across := Free; across <= Killed; across++ {
			for _, st := range states(spec, h, across) {
				ref := Ref{Slot: 1, Side: A, Inc: 7}
				for _, ev := range allEvents(ref) {
					next, acts := Step(st, ev)
					checkPair(t, fmt.Sprintf("%v beside %v, %v, %T%+v", h, across, st.Phase, ev, ev), st, next, acts)
				}
			}
		}
	}
}

func states(spec Spec, h, across Health) []State {
	var all []State
	for phase := Serving; phase <= Exited; phase++ {
		for _, rollout := range []Rollout{{Target: 2}, {Phase: Rolling, Target: 2, Before: spec}, {Phase: Reverting, Target: 2}, {Phase: Rolling, Target: 2, Queued: 3, Before: spec}, {Target: 2, Queued: 3}} {
			for generation := uint64(1); generation <= 2; generation++ {
				st := State{Phase: phase, Spec: spec, Generation: 1, Rollout: rollout, LastInc: 8, Terms: 3 * int(phase&1)}
				st.Slots = []Slot{
					{Generation: 1, Workers: [2]Worker{{Health: Ready, Inc: 6, ID: 0, Generation: 1}}},
					{Generation: generation, Workers: [2]Worker{{Health: h, Inc: 7, ID: 1, Generation: 1}}},
				}
				if across != Free {
					st.Slots[1].Workers[B] = Worker{Health: across, Inc: 8, ID: 2, Generation: 2}
				}
				all = append(all, st)
			}
		}
	}
	return all
}

func checkPair(t *testing.T, what string, st, next State, acts []Action) {
	t.Helper()
	for i := range 4 {
		before, now := (&world{st: st}), (&world{st: next})
		from, to := before.health(i), now.health(i)
		if same := before.holder(i) == now.holder(i); same && from != to && !lawful[from][to] {
			t.Errorf("%s: %v went from %v to %v", what, at(i), from, to)
		}
	}
	if next.Phase < st.Phase {
		t.Errorf("%s: the phase went from %v to %v", what, st.Phase, next.Phase)
	}
	exits := slices.IndexFunc(acts, func(a Action) bool { _, ok := a.(Exit); return ok })
	if ended := next.Phase == Exited && st.Phase != Exited; ended != (exits >= 0) || exits >= 0 && exits != len(acts)-1 {
		t.Errorf("%s: from %v to %v with %+v", what, st.Phase, next.Phase, acts)
	}
	if st.Phase == Exited && len(acts) > 0 {
		t.Errorf("%s: %+v after the exit", what, acts)
	}
}
