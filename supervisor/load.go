package supervisor

import (
	"errors"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

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

// takers are the wanted workers that get connections: those that serve, and if none does, all that are up.
func (p *pool) takers() []*record {
	for _, gets := range []func(machine.Health) bool{machine.Health.Serves, machine.Health.Up} {
		var found []*record
		for ref, rec := range p.workers {
			if w, ok := p.st.Worker(ref); ok && gets(w.Health) && ref.Slot < p.st.Spec.Workers && rec.proc != nil {
				found = append(found, rec)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// place is where connections wait.
type place struct {
	l    Listener
	slot int
	side listener.Side
}

// places are those of workers that get connections. What waits for another one waits for it alone: more workers would not
// change that.
func (p *pool) places(takers []*record) []place {
	var found []place
	for _, l := range p.listeners() {
		for _, rec := range takers {
			found = append(found, place{l, rec.ref.Slot, side(rec.ref.Side)})
			if l.Mode() == listener.Shared {
				break
			}
		}
	}
	return found
}

// count adds up what waits in some places, as far as it can be seen.
func (m *load) count(places []place) {
	for _, at := range places {
		q, err := at.l.Queue(at.slot, at.side)
		m.queued += q.Length
		m.blind = m.blind && errors.Is(err, listener.ErrNoQueue)
	}
}

// meters are those of some workers, with their processes.
func (p *pool) meters(takers []*record) map[meter]int {
	found := map[meter]int{}
	if p.cfg().Autoscale.CPU == 0 {
		return found
	}
	for _, rec := range takers {
		found[meter{rec.ref, rec.group}] = rec.proc.PID()
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
