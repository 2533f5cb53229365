package supervisor

import (
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// with is the same edition under another description.
func (e *edition) with(cfg *plan.Pool) *edition {
	other := *e
	other.cfg = cfg
	return &other
}

// exchange gives another description to a pool that has not started.
func (p *pool) exchange(e *edition, spec machine.Spec) {
	before := p.edition()
	p.editions[p.st.Generation] = e
	p.st.Spec = p.seeded(spec)
	p.forget(before.program)
	p.startAnew()
}

// adjust gives a pool another description without touching its workers, but for their number.
func (p *pool) adjust(cfg *plan.Pool, spec machine.Spec) {
	if p.station != running {
		p.exchange(p.edition().with(cfg), spec)
		return
	}
	was := p.cfg()
	for generation, e := range p.editions {
		if e.cfg == was { // somebody's rollout has several
			p.editions[generation] = e.with(cfg)
		}
	}
	var changed []*record
	for _, rec := range p.workers {
		if rec.edition.cfg == was {
			rec.edition = rec.edition.with(cfg)
			changed = append(changed, rec)
		}
	}
	p.step(machine.SpecChanged{Spec: p.seeded(spec)})
	for _, rec := range changed {
		p.rewatch(rec, was)
	}
}

// seeded is a specification with what is the supervisor's: its jitter, and whether others share with it.
func (p *pool) seeded(spec machine.Spec) machine.Spec {
	spec.Backoff.Seed = p.sup.seed
	if places := p.sup.cfg.World.Places; places != nil {
		spec.Claims, spec.KeepIDs = true, places.KeepIDs
	}
	return spec
}
