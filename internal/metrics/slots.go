package metrics

import (
	"strconv"
	"time"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// slot is what the workers of one slot come to.
type slot struct {
	states   map[string]int
	ready    bool
	restarts int
	latest   *supervisor.WorkerView // the one that came last, of those that have an id
	usage    *supervisor.UsageView  // the sum, nil if there is none
}

func (s *slot) add(w *supervisor.WorkerView) {
	s.states[w.State]++
	s.ready = s.ready || w.Ready
	s.restarts = w.Restarts
	if w.WorkerID != nil && (s.latest == nil || w.Started.After(s.latest.Started)) {
		s.latest = w
	}
	if u := w.Usage; u != nil {
		if s.usage == nil {
			s.usage = &supervisor.UsageView{}
		}
		s.usage.Memory += u.Memory
		s.usage.MemoryPeak += u.MemoryPeak
		s.usage.CPU += u.CPU
		s.usage.Pids += u.Pids
	}
}

// workers puts what concerns each slot, and how many workers the pool has in each state.
func (c *Collector) workers(to sink, p *supervisor.PoolView) {
	inState := map[string]int{}
	for h := machine.Waiting; h <= machine.Killed; h++ {
		inState[h.String()] = 0
	}
	var s *slot
	for i := range p.Workers { // they are in the order of the slots
		w := &p.Workers[i]
		inState[w.State]++
		if i == 0 || w.Slot != p.Workers[i-1].Slot {
			s = &slot{states: map[string]int{}}
		}
		s.add(w)
		if i == len(p.Workers)-1 || w.Slot != p.Workers[i+1].Slot {
			c.slot(to, p.Name, strconv.Itoa(w.Slot), s)
		}
	}
	for state, n := range inState {
		to.put(&c.families.workers, labelled("pool", p.Name, "state", state), float64(n))
	}
}

func (c *Collector) slot(to sink, pool, number string, s *slot) {
	f, labels := &c.families, labelled("pool", pool, "slot", number)
	for state, n := range s.states {
		to.put(&f.slotWorkers, labelled("pool", pool, "slot", number, "state", state), float64(n))
	}
	to.put(&f.slotReady, labels, truth(s.ready))
	to.put(&f.slotRestarts, labels, float64(s.restarts))
	if s.latest != nil {
		to.put(&f.workerID, labels, float64(*s.latest.WorkerID))
		if !s.latest.Started.IsZero() {
			to.put(&f.workerStarted, labels, seconds(s.latest.Started))
		}
	}
	if u := s.usage; u != nil {
		to.put(&f.cpu, labels, u.CPU)
		to.put(&f.memory, labels, float64(u.Memory))
		to.put(&f.memoryPeak, labels, float64(u.MemoryPeak))
		to.put(&f.processes, labels, float64(u.Pids))
	}
}

// seconds is a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
