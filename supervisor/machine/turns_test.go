package machine

import (
	"reflect"
	"testing"
)

// inTurn begins a pool whose rollouts go by turns, with two workers that are ready.
func inTurn(t *testing.T, change ...func(*Spec)) *play {
	t.Helper()
	p := claiming(t, pool(2, 1, 0, append(change, claims, turns, noSettle)...))
	p.ready(0, A)
	p.ready(1, A)
	return p
}

// didInOrder demands two kinds of action of the last step, one before the other.
func (p *play) didInOrder(first, second Action) {
	p.t.Helper()
	at := func(want Action) int {
		for n, a := range p.acts {
			if matches(a, want) {
				return n
			}
		}
		p.t.Fatalf("no %v%+v in %+v", reflect.TypeOf(want), want, p.acts)
		return -1
	}
	if at(first) > at(second) {
		p.t.Fatalf("%T%+v is not before %T%+v", first, first, second, second)
	}
}

var turn = Claim{Right: ToRoll, Fence: 3}

func TestRolloutWaitsForItsTurn(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.is("ready ready")
	p.did(Ask{Right: ToRoll, Count: 1})
	p.didNot(RolloutStarted{})
	if !p.w.st.AwaitsTurn() {
		t.Error("nobody is said to wait")
	}
	p.roll() // joins it
	p.didNot(Ask{})
	p.gets(ToRoll)
	p.did(RolloutStarted{Target: 2})
	if p.w.st.AwaitsTurn() {
		t.Error("somebody is said to wait")
	}
	p.gets(ToID)
	p.is("ready|starting2 ready")
	p.ready(0, B)
	p.ends(0, A)
	p.is("|ready2 ready|starting2")
	p.ready(1, B)
	p.ends(1, A)
	p.didInOrder(RolloutEnded{Target: 2, Cause: RolledOut}, Release{turn})
	p.is("|ready2 |ready2")
}

func TestNextRolloutWaitsForAnotherTurn(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.gets(ToRoll)
	p.roll()
	p.gets(ToID)
	p.crash(0, B)
	p.didInOrder(RolloutEnded{Target: 2, Cause: SuccessorDied}, Release{turn})
	p.didInOrder(Release{turn}, Ask{Right: ToRoll, Count: 1})
	p.didNot(RolloutStarted{})
	p.is("ready ready")
	p.gets(ToRoll)
	p.did(RolloutStarted{Target: 3})
}

func TestAbortWhileARolloutWaits(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.step(AbortRequested{})
	p.did(RolloutEnded{Target: 2, Cause: Aborted})
	p.did(Unask{Right: ToRoll, Count: 1})
	p.late(AbortRequested{})
	p.roll()
	p.gets(ToRoll)
	p.did(RolloutStarted{Target: 3})
}

func TestStopWhileARolloutWaits(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.step(StopRequested{})
	p.did(RolloutEnded{Target: 2, Cause: StopCame})
	p.did(Unask{Right: ToRoll, Count: 1})
	p.is("draining draining")
}

func TestStopGivesTheTurnBack(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.gets(ToRoll)
	p.step(StopRequested{})
	p.didInOrder(RolloutEnded{Target: 2, Cause: StopCame}, Release{turn})
}

// Slots that are at their turn go on, and the others wait.
func TestTurnThatIsLost(t *testing.T) {
	for name, ev := range map[string]Event{"lost": Lost{turn}, "lapses": Lapses{turn}} {
		t.Run(name, func(t *testing.T) {
			p := inTurn(t)
			p.roll()
			p.gets(ToRoll)
			p.gets(ToID)
			p.step(ev)
			p.did(Ask{Right: ToRoll, Count: 1})
			p.is("ready|starting2 ready")
			p.ready(0, B)
			p.ends(0, A)
			p.is("|ready2 ready")
			p.crash(1, A) // is no reason for a turn
			p.is("|ready2 starting")
			p.ready(1, A)
			p.gets(ToRoll)
			p.gets(ToID)
			p.is("|ready2 ready|starting2")
		})
	}
	t.Run("no canary is followed", func(t *testing.T) {
		p := inTurn(t, canary)
		p.roll()
		p.gets(ToRoll)
		p.gets(ToID)
		p.ready(0, B)
		p.step(Lost{turn})
		p.fires(ProvingTimer, 0, B)
		p.ends(0, A)
		p.is("|ready2 ready")
		p.gets(ToRoll)
		p.gets(ToID)
		p.is("|ready2 ready|starting2")
	})
	t.Run("the last slot needs it no more", func(t *testing.T) {
		p := inTurn(t)
		p.roll()
		p.gets(ToRoll)
		p.gets(ToID)
		p.ready(0, B)
		p.ends(0, A)
		p.step(Lost{turn})
		p.ready(1, B)
		p.ends(1, A)
		p.did(RolloutEnded{Target: 2, Cause: RolledOut})
		p.did(Unask{Right: ToRoll, Count: 1})
	})
}

func TestWhatNeedsNoTurn(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.crash(0, A)
	p.is("starting ready")
	p.ready(0, A)
	p.due(1, A)
	p.gets(ToID)
	p.is("ready ready|starting")
	p.step(ScaleRequested{1})
	p.is("ready draining|draining")
	p.step(ReloadRequested{Safe: p.w.safe()})
	p.did(Relay{Ref: p.ref(0, A)})
}

func TestTurnsChangeWhileARolloutWaits(t *testing.T) {
	without := pool(2, 1, 0, claims, noSettle)
	t.Run("one that needs none begins at once", func(t *testing.T) {
		p := inTurn(t)
		p.roll()
		p.step(SpecChanged{Spec: without})
		p.did(RolloutStarted{Target: 2})
		p.did(Unask{Right: ToRoll, Count: 1})
	})
	t.Run("also if it is the rollout that brings it", func(t *testing.T) {
		p := inTurn(t)
		p.roll()
		p.step(SpecChanged{Spec: without, Roll: true})
		p.did(RolloutStarted{Target: 2})
	})
	t.Run("without claims there are no turns", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, turns))
		p.roll()
		p.did(RolloutStarted{Target: 2})
	})
	t.Run("what it goes to says whether it waits", func(t *testing.T) {
		p := claiming(t, without)
		p.step(SpecChanged{Spec: pool(2, 1, 0, claims, turns), Roll: true})
		p.didNot(RolloutStarted{})
		p.gets(ToRoll)
		p.did(RolloutStarted{Target: 2})
	})
	t.Run("under way it asks", func(t *testing.T) {
		p := claiming(t, without)
		p.ready(0, A)
		p.ready(1, A)
		p.roll()
		p.gets(ToID)
		p.step(SpecChanged{Spec: pool(2, 1, 0, claims, noSettle, turns)})
		p.did(Ask{Right: ToRoll, Count: 1})
		p.ready(0, B)
		p.ends(0, A)
		p.is("|ready2 ready")
		p.gets(ToRoll)
		p.gets(ToID)
		p.is("|ready2 ready|starting2")
		p.step(SpecChanged{Spec: without})
		p.did(Release{Claim: Claim{Right: ToRoll, Fence: 4}})
	})
}

// What has finished runs again when the turn comes.
func TestPoolWhoseRolloutWaitsDoesNotExit(t *testing.T) {
	p := inTurn(t, onFailure)
	p.roll()
	p.exitsCleanly(0, A)
	p.exitsCleanly(1, A)
	p.is("finished finished")
	p.didNot(Exit{})
	p.gets(ToRoll)
	p.gets(ToID)
	p.is("starting2 ")
}

// A turn that comes when nobody waits for it any more goes back.
func TestTurnThatComesInVain(t *testing.T) {
	p := inTurn(t)
	p.roll()
	p.step(AbortRequested{})
	p.step(Claimed{Claim: turn})
	p.did(Release{turn})
}
