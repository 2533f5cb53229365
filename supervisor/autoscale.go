package supervisor

import (
	"slices"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/supervisor/scale"
)

// sampleEvery is how often the load of a pool is looked at whose number of workers follows it. The kernel has no event for
// a queue that has grown, nor for CPU time.
const sampleEvery = time.Second

// scaling is what is known of the load of a pool. Only the loop uses it.
type scaling struct {
	sampling bool // another sample comes
	fresh    int  // workers from here on were added, and not all of them have started yet
	state    scale.State
	at       time.Time // of the last sample
	used     map[meter]time.Duration
	last     scale.Sample
	reason   scale.Reason // of the last change that the load made
	to       int          // workers after it
	detail   string       // the same, with numbers
	changed  time.Time
	refused  string // why the last change could not be made
	blind    bool   // it was said that nothing can be seen
}

// followLoad sees to it that the next sample comes, if the pool's number of workers follows its load.
func (p *pool) followLoad() {
	if p.scaling.sampling || !p.follows() {
		return
	}
	p.scaling.sampling = true
	time.AfterFunc(sampleEvery, func() { p.sup.mail.post(loadDue{pool: p}) })
}

func (p *pool) follows() bool { return p.cfg().Autoscale.Max > 0 && p.accepts() }

// loadDue looks at the load, beside the loop.
func (p *pool) loadDue() {
	if !p.follows() {
		p.scaling = scaling{}
		return
	}
	takers := p.takers()
	places, meters := p.places(takers), p.meters(takers)
	s := p.sup
	s.goOn(func() {
		m := load{at: time.Now(), blind: len(takers) > 0, used: make(map[meter]time.Duration, len(meters))}
		m.count(places)
		for by, pid := range meters {
			s.cfg.World.readMeter(by, pid, m.used)
		}
		s.mail.post(loadSeen{pool: p, load: m})
	})
}

// loadSeen does what follows from the load.
func (p *pool) loadSeen(m load) {
	c := &p.scaling
	if !p.follows() {
		*c = scaling{}
		return
	}
	c.sampling = false
	a := p.cfg().Autoscale
	if m.blind && a.CPU == 0 && !c.blind {
		c.blind = true
		p.log.Warn().Msg("the number of workers cannot follow the load: no listener of the pool tells how many wait, and CPU does not count")
	}
	sample := scale.Sample{
		At: m.at.Sub(p.sup.begun), Workers: p.st.Spec.Workers, Ready: p.st.ReadySlots(),
		Queued: m.queued, CPU: c.busy(m), Held: p.isMoving() || p.isGrowing(),
	}
	c.at, c.used, c.last = m.at, m.used, sample
	state, want, why := policyOf(a).Step(c.state, sample)
	c.state = state
	if why != scale.Stay {
		p.follow(want, why)
	}
}

func policyOf(a plan.Autoscale) scale.Policy {
	return scale.Policy{Min: a.Min, Max: a.Max, Queue: a.Queue, CPU: a.CPU, UpAfter: a.UpAfter, DownAfter: a.DownAfter}
}

// follow changes the number of workers, or says why it cannot.
func (p *pool) follow(want int, why scale.Reason) {
	c, from := &p.scaling, p.st.Spec.Workers
	p.scaledFor = why.String()
	defer func() { p.scaledFor = "" }()
	if err := p.resize(want); err != nil {
		if err.Error() != c.refused { // which it will be again and again
			c.refused = err.Error()
			p.log.Error().Err(err).Msg("cannot follow the load")
		}
		return
	}
	c.refused, c.reason, c.to, c.changed = "", why, want, time.Now()
	c.detail = explain(policyOf(p.cfg().Autoscale), c.last, want, why)
	p.log.Info().Int(keyFrom, from).Int(keyTo, want).Stringer(keyReason, why).Str(keyDetail, c.detail).
		Int(keyQueued, c.last.Queued).Int(keyCPU, c.last.CPU).Msg("pool scaled")
}

// isMoving reports whether workers that work are being replaced, or are about to be: then they are busy with other things
// than the load, and a rollout counts on their number. One that replaces a broken worker is no reason: it may have been
// the load that broke it.
func (p *pool) isMoving() bool {
	return p.st.Rollout.Phase != machine.NoRollout || p.errands.rolls > 0 || p.sup.transaction != nil ||
		slices.ContainsFunc(p.st.Slots, func(slot machine.Slot) bool { return slot.Outdated != 0 })
}

// isGrowing reports whether workers that were added are on their way, and nothing is wrong with them.
func (p *pool) isGrowing() bool {
	wanted := min(p.st.Spec.Workers, len(p.st.Slots))
	starts := func(w machine.Worker) bool { return w.Health == machine.Starting }
	for i := min(p.scaling.fresh, wanted); i < wanted; i++ {
		if slot := &p.st.Slots[i]; slot.Failures == 0 && slices.ContainsFunc(slot.Workers[:], starts) {
			return true
		}
	}
	p.scaling.fresh = wanted
	return false
}

func (p *pool) viewAutoscale() *AutoscaleView {
	c, a := &p.scaling, p.cfg().Autoscale
	if a.Max == 0 {
		return nil
	}
	v := &AutoscaleView{Min: a.Min, Max: a.Max, Queued: c.last.Queued, CPU: float64(c.last.CPU) / 1000}
	if c.reason != scale.Stay && c.to == p.st.Spec.Workers { // else somebody has changed it since
		v.Reason, v.Detail, v.Changed = c.reason.String(), c.detail, c.changed
	}
	return v
}
