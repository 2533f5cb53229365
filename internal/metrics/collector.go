package metrics

import (
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
)

// Source is where the numbers come from.
type Source struct {
	Snapshot func() supervisor.Snapshot // see supervisor.Supervisor
	Logs     Logs
}

// Logs counts output; see logs.Mux.
type Logs interface {
	Stats() []logs.Stat
	Lost() uint64
}

// Collector shows snapshots as metrics.
type Collector struct {
	source    Source
	families  families
	catalogue catalogue
}

// NewCollector makes a Collector for a registry.
func NewCollector(source Source) *Collector {
	c := &Collector{source: source}
	c.families = newFamilies(&c.catalogue)
	return c
}

// Describe is of prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range c.catalogue {
		to <- desc
	}
}

// Collect is of prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	snap, to, f := c.source.Snapshot(), sink(ch), &c.families
	to.put(&f.build, labelled("goversion", runtime.Version(), "version", snap.Version), 1)
	to.choice(&f.state, snap.State, states())
	to.put(&f.started, nil, seconds(snap.Started))
	to.put(&f.reloads, labelled("result", "success"), float64(snap.Config.Reloads))
	to.put(&f.reloads, labelled("result", "failure"), float64(snap.Config.Failures))
	to.put(&f.reloadWell, nil, truth(snap.Config.Reload == nil || snap.Config.Reload.State != failed))
	to.put(&f.loaded, nil, seconds(snap.Config.Loaded))
	to.put(&f.logDropped, nil, float64(c.source.Logs.Lost()))
	for _, s := range c.source.Logs.Stats() {
		if s.Slot != logs.NoSlot { // what runs before the workers says little
			labels := labelled("pool", s.Pool, "slot", strconv.Itoa(s.Slot))
			to.put(&f.logLines, labels, float64(s.Lines))
			to.put(&f.logBytes, labels, float64(s.Bytes))
			to.put(&f.logLost, labels, float64(s.LostLines))
		}
	}
	for i := range snap.Pools {
		c.pool(to, &snap.Pools[i])
	}
}

// failed is the state of a reload or rollout that did not succeed.
const failed = "failed"

// states are those of the supervisor and of pools.
func states() []string {
	return []string{supervisor.StateStarting, supervisor.StateReady, supervisor.StateDegraded, supervisor.StateStopping}
}

func (c *Collector) pool(to sink, p *supervisor.PoolView) {
	f, labels := &c.families, labelled("pool", p.Name)
	to.choice(&f.poolState, p.State, states(), "pool", p.Name)
	to.put(&f.desired, labels, float64(p.Desired))
	to.put(&f.ready, labels, float64(p.Ready))
	to.put(&f.generation, labels, float64(p.Generation))
	to.put(&f.restarts, labels, float64(p.Restarts))
	to.put(&f.unmet, labels, float64(len(p.Unmet)))
	c.claims(to, p, labels)
	for _, cause := range supervisor.Causes() {
		to.put(&f.deaths, labelled("cause", string(cause), "pool", p.Name), float64(p.Deaths[cause]))
	}
	for kind, n := range map[string]int{"revived": p.Repairs.Revived, "nonblock": p.Repairs.Nonblock, "backlog": p.Repairs.Backlog} {
		to.put(&f.repairs, labelled("kind", kind, "pool", p.Name), float64(n))
	}
	c.rollout(to, p, labels)
	to.put(&f.poolReloads, labelled("pool", p.Name, "result", "success"), float64(p.Reloads.Done))
	to.put(&f.poolReloads, labelled("pool", p.Name, "result", "failure"), float64(p.Reloads.Failed))
	if p.Reloads.Done > 0 {
		to.put(&f.reloadTime, labels, p.Reloads.Last)
	}
	if p.Pressure != nil {
		c.pressure(to, p.Name, "memory", p.Pressure.Memory)
		c.pressure(to, p.Name, "cpu", p.Pressure.CPU)
	}
	if p.Autoscale != nil {
		to.put(&f.least, labels, float64(p.Autoscale.Min))
		to.put(&f.most, labels, float64(p.Autoscale.Max))
	}
	c.listeners(to, p)
	c.workers(to, p)
}

// listeners puts the queues. Drops are counted here alone: a slot changes between two sockets with each rollout, and
// the numbers of one after those of the other would not be a counter.
func (c *Collector) listeners(to sink, p *supervisor.PoolView) {
	for i := range p.Listeners {
		l := &p.Listeners[i]
		if l.Queue == nil {
			continue
		}
		labels := labelled("listener", l.Name, "pool", p.Name)
		to.put(&c.families.queue, labels, float64(l.Queue.Depth))
		to.put(&c.families.capacity, labels, float64(l.Queue.Capacity))
		to.put(&c.families.drops, labels, float64(l.Queue.Drops))
	}
}

func (c *Collector) rollout(to sink, p *supervisor.PoolView, labels []*dto.LabelPair) {
	state, goal := "", p.Generation
	if p.Rollout != nil {
		state = p.Rollout.State
		if state == "rolling" {
			goal = p.Rollout.Generation
		}
	}
	to.choice(&c.families.rollout, state, []string{"waiting", "rolling", "reverting", "done", failed}, "pool", p.Name)
	served := map[int]bool{}
	for i := range p.Workers {
		if w := &p.Workers[i]; w.Ready && w.Generation == goal {
			served[w.Slot] = true
		}
	}
	if p.Desired > 0 {
		to.put(&c.families.progress, labels, min(1, float64(len(served))/float64(p.Desired)))
	}
}

// pressure turns percent into parts.
func (c *Collector) pressure(to sink, pool, resource string, s supervisor.ShareView) {
	put := func(scope, window string, percent float64) {
		to.put(&c.families.pressure, labelled("pool", pool, "resource", resource, "scope", scope, "window", window), percent/100)
	}
	put("some", "10s", s.Some10)
	put("some", "60s", s.Some60)
	put("full", "10s", s.Full10)
	put("full", "60s", s.Full60)
}
