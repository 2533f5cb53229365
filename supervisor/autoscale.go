package supervisor

import (
	"errors"
	"time"

	"github.com/broodctl/brood/listener"
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
	state    scale.State
	at       time.Time // of the last sample
	used     map[meter]time.Duration
	last     scale.Sample
	reason   scale.Reason // of the last change
	changed  time.Time
	refused  string // why the last change could not be made
	blind    bool   // it was said that nothing can be seen
}

// load is what was seen of a pool beside the loop.
type load struct {
	at     time.Time
	queued int
	blind  bool                    // no listener told
	used   map[meter]time.Duration // CPU time since each worker began
}

// meter is what the CPU time of a worker is read from. What two of them say cannot be compared.
type meter struct {
	ref   machine.Ref
	group Group // nil for the files of its processes
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
	listeners := p.listeners()
	var meters map[meter]int
	if p.cfg().Autoscale.CPU > 0 {
		meters = p.meters()
	}
	s := p.sup
	s.goOn(func() {
		m := load{at: time.Now(), blind: true, used: make(map[meter]time.Duration, len(meters))}
		for _, l := range listeners {
			if n, err := l.Queued(); !errors.Is(err, listener.ErrNoQueue) {
				m.queued += n // as far as it came
				m.blind = false
			}
		}
		for by, pid := range meters {
			s.cfg.World.readMeter(by, pid, m.used)
		}
		s.mail.post(loadSeen{pool: p, load: m})
	})
}

// meters are those of the wanted workers that serve, with their processes.
func (p *pool) meters() map[meter]int {
	found := map[meter]int{}
	for ref, rec := range p.workers {
		if w, ok := p.st.Worker(ref); ok && w.Health.Serves() && ref.Slot < p.st.Spec.Workers && rec.proc != nil {
			found[meter{ref, rec.group}] = rec.proc.PID()
		}
	}
	return found
}

// readMeter reads the one file of a control group, or what costs some more. A worker that has ended, or cannot be seen, is
// left out.
func (w World) readMeter(by meter, pid int, into map[meter]time.Duration) {
	if by.group != nil {
		if used := by.group.CPU(); used > 0 {
			into[by] = used
			return
		}
	}
	if used, err := w.CPUTime(pid); err == nil {
		into[meter{ref: by.ref}] = used
	}
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
		Queued: m.queued, CPU: c.busy(m), Held: p.isMoving(),
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
	c.refused, c.reason, c.changed = "", why, time.Now()
	p.log.Info().Int(keyFrom, from).Int(keyTo, want).Stringer(keyReason, why).
		Int(keyQueued, c.last.Queued).Int(keyCPU, c.last.CPU).Msg("pool scaled")
}

// busy is how many thousandths of a CPU the workers used since the last sample that was taken of them.
func (c *scaling) busy(m load) int {
	var used time.Duration
	for by, now := range m.used {
		if before, ok := c.used[by]; ok {
			used += max(0, now-before) // less if a descendant ended
		}
	}
	gap := m.at.Sub(c.at)
	if used == 0 || gap <= 0 {
		return 0
	}
	return int(1000 * used / gap)
}

// isMoving reports whether workers are being replaced, or are about to be: then they are busy with other things than
// the load, and a rollout counts on their number.
func (p *pool) isMoving() bool {
	if p.st.Rollout.Phase != machine.NoRollout || p.errands.rolls > 0 || p.sup.transaction != nil {
		return true
	}
	for i := range min(p.st.Spec.Workers, len(p.st.Slots)) {
		for _, w := range p.st.Slots[i].Workers {
			if w.Health.Active() && w.Health != machine.Ready {
				return true
			}
		}
	}
	return false
}

func (p *pool) viewAutoscale() *AutoscaleView {
	c, a := &p.scaling, p.cfg().Autoscale
	if a.Max == 0 {
		return nil
	}
	v := &AutoscaleView{Min: a.Min, Max: a.Max, Queued: c.last.Queued, CPU: float64(c.last.CPU) / 1000, Changed: c.changed}
	if c.reason != scale.Stay {
		v.Reason = c.reason.String()
	}
	return v
}
