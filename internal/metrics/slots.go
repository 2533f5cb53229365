package metrics

import (
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// slot is what the workers of one slot come to.
type slot struct {
	states   map[string]int
	ready    bool
	restarts int
	requests *uint64
	latest   *supervisor.WorkerView // the one that came last, of those that have an id
	// The sums, nil if there is nothing.
	usage       *supervisor.UsageView
	queue       *supervisor.QueueView
	connections *uint64
}

func (s *slot) add(w *supervisor.WorkerView) {
	s.states[w.State]++
	s.ready = s.ready || w.Ready
	s.restarts, s.requests = w.Restarts, w.Requests
	if w.WorkerID != nil && (s.latest == nil || w.Started.After(s.latest.Started)) {
		s.latest = w
	}
	if u := w.Usage; u != nil {
		sum := orNew(&s.usage)
		sum.Memory += u.Memory
		sum.MemoryPeak += u.MemoryPeak
		sum.CPU += u.CPU
		sum.Pids += u.Pids
		sum.FDs += u.FDs
	}
	if q := w.Queue; q != nil {
		sum := orNew(&s.queue)
		sum.Depth += q.Depth
		sum.Capacity += q.Capacity
	}
	if n := w.Connections; n != nil {
		*orNew(&s.connections) += *n
	}
}

// orNew is what p points to, made if it is not there.
func orNew[T any](p **T) *T {
	if *p == nil {
		*p = new(T)
	}
	return *p
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
	if s.usage != nil {
		c.usage(to, labels, s.usage)
	}
	if q := s.queue; q != nil {
		to.put(&f.slotQueue, labels, float64(q.Depth))
		to.put(&f.slotCapacity, labels, float64(q.Capacity))
	}
	if n := s.connections; n != nil {
		to.put(&f.connections, labels, float64(*n))
	}
	if n := s.requests; n != nil {
		to.put(&f.requests, labels, float64(*n))
	}
}

// usage puts what can be had. Nothing that lives has no memory, process or descriptor: 0 means that it is not known.
func (c *Collector) usage(to sink, labels []*dto.LabelPair, u *supervisor.UsageView) {
	to.put(&c.families.cpu, labels, u.CPU)
	for f, n := range map[*family]uint64{
		&c.families.memory: u.Memory, &c.families.memoryPeak: u.MemoryPeak, &c.families.processes: u.Pids, &c.families.fds: u.FDs,
	} {
		if n > 0 {
			to.put(f, labels, float64(n))
		}
	}
}

// seconds is a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
