package plan

import (
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/probe"
)

// Health is how a pool finds out whether its workers work. The words are those of the probes of Kubernetes.
type Health struct {
	// Startup gates everything else: a worker that does not pass within InitialDelay + FailureThreshold * Period has
	// failed to become ready. Nil is none.
	Startup *Probe
	// Readiness decides, from the start to the end, whether a worker gets connections. It follows Pool.Ready, if that
	// is said as well. Nil is none.
	Readiness *Probe
	// Liveness replaces a worker that does not pass any more. It begins when the worker has been ready once. Nil is none.
	Liveness *Probe
	// Watchdog is how often a worker must say WATCHDOG=1 from its readiness on; see sd_watchdog_enabled(3). 0 is never.
	Watchdog time.Duration
	// Hang replaces a worker whose accept queue is not empty and did not shrink for so long, or which is stopped. 0 is never.
	Hang time.Duration
}

// Probe is how the workers of a pool are asked.
type Probe struct {
	probe.Config
	// Listener is the one of the pool whose socket, or port, of the worker is asked. Empty is the first one that can be.
	// It says nothing where Config.Address does, a template of the worker, nor for exec.
	Listener string
}

// Recycle is when a worker that works is replaced all the same. What is 0 is no reason.
type Recycle struct {
	MaxLifetime time.Duration
	MaxMemory   uint64 // bytes: the proportional set size of the worker and its descendants
	MaxRequests uint64 // as the worker reports by BROOD_REQUESTS=n
	Jitter      int    // percent of each by which workers differ: each is drawn from limit .. limit*(100+Jitter)/100
}

// Autoscale changes the number of workers between two bounds. Max 0 is off.
type Autoscale struct {
	Min, Max int
	// Queue is how many connections may wait per worker before there is one more.
	Queue float64
	// CPU is how busy the workers may be on average before there is one more, in thousandths of a CPU each; 0 does not count.
	CPU int
	// UpAfter and DownAfter are how long it must have been too much, or too little.
	UpAfter, DownAfter time.Duration
}

// Clamp is the number of workers that a pool has in place of another one: the nearest within the bounds, if there are any.
func (a Autoscale) Clamp(workers int) int {
	if a.Max == 0 {
		return workers
	}
	return min(max(workers, a.Min), a.Max)
}

// MostWorkers is how many workers the pool may have by its description: ports and descriptors are counted for them.
func (p *Pool) MostWorkers() int { return max(p.Spec.Workers, p.Autoscale.Max) }

// HasGroups reports whether the workers of the pool are limited by control groups of their own.
func (p *Pool) HasGroups() bool { return p.Cgroup != cgroup.Limits{} }
