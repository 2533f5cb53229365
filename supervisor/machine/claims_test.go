package machine

import "testing"

// gets gives a pool the lowest claim that is free.
func (p *play) gets(right Right) {
	p.t.Helper()
	claim, _, n := p.w.free(right)
	if n == 0 || p.w.fleet.asks[right] == 0 {
		p.t.Fatalf("%d are asked for, and %d can be had: %v", p.w.fleet.asks[right], n, p.w.picture())
	}
	p.step(Claimed{Claim: claim})
}

// claimOf is the claim to the worker id of somebody.
func (p *play) claimOf(slot int, side Side) Claim {
	p.t.Helper()
	w, _ := p.w.st.Worker(p.ref(slot, side))
	return Claim{Right: ToID, ID: w.ID, Fence: w.Fence}
}

// claiming begins a pool that has the worker ids that it needs.
func claiming(t *testing.T, spec Spec) *play {
	t.Helper()
	p := begins(t, spec)
	for range spec.Workers {
		p.gets(ToID)
	}
	return p
}

// A pool that gets only one worker id keeps it for its leader: else nobody would ask for the lead.
func TestLeaderThatStandsByHasItsWorkerID(t *testing.T) {
	p := begins(t, pool(2, 1, 0, claims, leader))
	p.gets(ToID)
	p.is(" ")
	p.did(Ask{Right: ToLead, Count: 1})
	p.didNot(Unask{})
	p.gets(ToID)
	p.is(" starting")
	p.gets(ToLead)
	p.is("starting starting")
}

// Nobody is missing where a leader stands by, so others are repaired.
func TestSlotThatStandsByDoesNotHoldUpRepairs(t *testing.T) {
	p := claiming(t, pool(2, 1, 0, claims, leader))
	p.gets(ToLead)
	p.ready(0, A)
	p.ready(1, A)
	p.failsAt(0, A)
	p.failsAt(1, A)
	p.is("tracing failing")
	p.ends(0, A)
	p.did(Release{})
	p.is(" tracing")
}

func TestRolloutEndsWhereTheLeaderStandsByAlsoIfItLeadsNoMore(t *testing.T) {
	p := claiming(t, pool(2, 1, 0, claims, leader, noSettle))
	p.ready(1, A)
	p.roll()
	p.step(SpecChanged{Spec: pool(2, 1, 0, claims, noSettle), Roll: true})
	p.gets(ToID)
	p.is(" ready|starting2")
	p.ready(1, B)
	p.ends(1, A)
	p.did(RolloutEnded{Target: 2, Cause: RolledOut})
	p.did(RolloutStarted{Target: 3})
	p.is("starting3 |ready2")
}

// That a claim lapses is no fault of a successor, and says nothing about the next one.
func TestRecyclingGoesOnWhereItsSuccessorLosesItsClaim(t *testing.T) {
	p := claiming(t, pool(1, 1, 0, claims, noSettle))
	p.ready(0, A)
	p.due(0, A)
	p.gets(ToID)
	p.is("ready|starting")
	p.step(Lapses{p.claimOf(0, B)})
	p.is("ready|draining")
	p.ends(0, B)
	p.didNot(SetTimer{})
	p.gets(ToID)
	p.is("ready|starting")
}
