package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// Groups are the control groups of the workers; see cgroup.Tree.
type Groups interface {
	Group(pool, name string, l cgroup.Limits, hit func()) Group
	// Adopt finds the group of a worker that another program in our place has started.
	Adopt(pool, name string, l cgroup.Limits, hit func(), h cgroup.HandedGroup) (Group, error)
	Missing(l cgroup.Limits) []*cgroup.Missing
	Pressure(pool string) (cgroup.Strain, error)
	// Forget may block. It takes nothing from a pool of that name that has groups again, or is about to.
	Forget(pool string)
}

// Group is the control group of one worker.
type Group interface {
	worker.Group
	OOM() cgroup.Usage
	Usage() (cgroup.Usage, bool)
	CPU() time.Duration
	Hand() cgroup.HandedGroup
	// Open makes a descriptor of its directory. The caller closes it.
	Open() (fd int, err error)
}

// sayWhatIsMissing says once for each limit that it does not hold, and why. Pools that set none need no control groups.
func (s *Supervisor) sayWhatIsMissing(d *plan.Desired) {
	var limits, missing []string
	for i := range d.Pools {
		for _, m := range s.missing(d.Pools[i].Cgroup) {
			news := slices.DeleteFunc(slices.Clone(m.Words), func(word string) bool { return s.gauge.said[word] })
			if len(news) == 0 {
				continue
			}
			for _, word := range news {
				s.gauge.say(word)
			}
			limits = append(limits, news...)
			if text := m.Error(); !slices.Contains(missing, text) {
				missing = append(missing, text)
			}
		}
	}
	if len(limits) > 0 {
		s.log.Warn().Strs(keyLimits, limits).Strs(keyMissing, missing).Msg("limits do not hold: there are no control groups for them")
	}
}

// missing is what some limits lack.
func (s *Supervisor) missing(l cgroup.Limits) []*cgroup.Missing {
	words := l.Words()
	switch {
	case len(words) == 0:
		return nil
	case s.cfg.World.Groups != nil:
		return s.cfg.World.Groups.Missing(l)
	}
	if m, ok := errors.AsType[*cgroup.Missing](s.cfg.World.NoGroups); ok {
		return []*cgroup.Missing{m.Of(words)}
	}
	m := &cgroup.Missing{What: "control groups", Words: words}
	if err := s.cfg.World.NoGroups; err != nil {
		m.Why = err.Error()
	}
	return []*cgroup.Missing{m}
}

// enclose describes the control group that a worker is to be born in, if there are any.
func (p *pool) enclose(rec *record) {
	groups := p.sup.cfg.World.Groups
	if groups == nil {
		return
	}
	rec.group = groups.Group(p.name, groupName(rec), rec.edition.cfg.Cgroup, p.hitLimit(rec))
}

// groupName is that of the control group of a worker, in that of its pool.
func groupName(rec *record) string {
	return fmt.Sprintf("%d-%s-%d", rec.ref.Slot, rec.ref.Side, rec.ref.Inc)
}

// hitLimit says that a worker cannot fork any more. It may be called from any goroutine.
func (p *pool) hitLimit(rec *record) func() {
	limits := rec.edition.cfg.Cgroup
	log := p.log.With().Int(keySlot, rec.ref.Slot).Int(keyWorkerID, rec.id).Uint64(keyGeneration, rec.generation).Logger()
	return func() {
		log.Warn().Uint64(keyLimit, limits.PidsMax).Msg("worker wanted more processes than it may have")
	}
}

// lastUsage is read as soon as the worker has ended, and before the loop hears of it, which must not wait for files.
func lastUsage(g Group) cgroup.Usage {
	if g == nil {
		return cgroup.Usage{}
	}
	return g.OOM()
}

// examine finds out whether a worker that has ended was killed for its memory.
func (p *pool) examine(rec *record, u *cgroup.Usage) {
	if u.Killed == 0 {
		return
	}
	detail := outOfMemory(rec.edition.cfg.Cgroup, u)
	if rec.exit.Signal == syscall.SIGKILL && !rec.killed {
		rec.oomKilled, rec.fault.detail = true, detail
		return
	}
	p.of(p.log.Warn(), rec).Uint64(keyCount, u.Killed).Str(keyDetail, detail).
		Msg("worker had a process killed by the kernel: out of memory")
}

// outOfMemory says whose memory was at its end.
func outOfMemory(l cgroup.Limits, u *cgroup.Usage) string {
	text := "memory was at its end outside of the worker"
	if u.OOMs > 0 {
		text = "memory_max of " + size(l.MemoryMax) + " reached"
	}
	if u.MemoryPeak > 0 {
		text += ", at most " + size(u.MemoryPeak) + " used"
	}
	return text
}

// size is a number of bytes as people read it.
func size(n uint64) string {
	const units = "KMGT"
	if n < 1<<10 || n == cgroup.Unlimited {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.4g%ciB", value, units[unit])
}

// tellStrays passes the stop signal on to what a worker that obeyed it has left outside of its process group: what is
// inside has heard of it from the worker, if the worker cared.
func (p *pool) tellStrays(rec *record) {
	if rec.exit.Remains && rec.asked && rec.proc != nil && rec.exit.Signal != rec.stopSignal() {
		p.send(rec, rec.proc.SignalStrays, rec.stopSignal())
	}
}
