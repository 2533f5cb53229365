package config

import (
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// leastPatience is less than any worker can be held to: what is shorter is a mistake.
const leastPatience = 100 * time.Millisecond

// health reads [pool.NAME.health], recycle and autoscale, when the rest of the pool is known.
func (r *resolver) health(table string, t PoolTable, p *Pool) {
	r.autoscale(table, t, p)
	r.probes(table, t, p)
	at := under(table, "health")
	p.Health.Watchdog = r.lasting(under(at, "watchdog"), t.Health.Watchdog)
	p.Health.Hang = r.lasting(under(at, "hang"), t.Health.Hang)
	p.Spec.Trace = time.Duration(*t.Health.Trace)
	if key := under(at, "trace"); p.Spec.Trace < 0 {
		r.bad(key, "", "cannot read %s %s: a duration is not negative", r.name(key), t.Health.Trace)
	}
	r.recycle(table, t, p)
}

// lasting reads a time after which a worker is replaced. 0 is never.
func (r *resolver) lasting(key string, d *Duration) time.Duration {
	switch {
	case d == nil:
		return 0
	case *d != 0 && time.Duration(*d) < leastPatience:
		r.bad(key, "0s turns it off", "%s (%s) is too short: the least is %s", r.name(key), d, leastPatience)
	}
	return time.Duration(*d)
}

func (r *resolver) recycle(table string, t PoolTable, p *Pool) {
	at := under(table, "recycle")
	if t.Recycle == (RecycleTable{}) {
		return
	}
	p.Recycle = plan.Recycle{
		MaxLifetime: r.lasting(under(at, "max_lifetime"), t.Recycle.MaxLifetime), MaxMemory: r.size(under(at, "max_memory"), t.Recycle.MaxMemory),
		MaxRequests: uint64(t.Recycle.MaxRequests), Jitter: int(*t.Recycle.Jitter),
	}
	p.Spec.RecycleGap = time.Duration(*t.Recycle.Gap)
	key := under(at, "max_memory")
	most := (100 + *t.Recycle.Jitter).of(p.Recycle.MaxMemory)
	switch limit := p.Cgroup.MemoryMax; {
	case r.anyIn(at):
	case *t.Recycle.Jitter > 100:
		r.bad(under(at, "jitter"), "", "cannot have %s %s: at most 100%%, which doubles a limit", r.name(under(at, "jitter")), t.Recycle.Jitter)
	case t.Recycle.MaxRequests < 0:
		r.bad(under(at, "max_requests"), "", "cannot read %s %d: it is not negative", r.name(under(at, "max_requests")), t.Recycle.MaxRequests)
	case t.Recycle.MaxLifetime == nil && t.Recycle.MaxMemory == "" && t.Recycle.MaxRequests == 0:
		r.bad(at, "write max_lifetime, max_memory or max_requests", "recycle does not say when a worker is recycled")
	case p.Spec.Restart == machine.RestartNever:
		r.bad(at, "leave it out, or write restart.policy = "+quote("on-failure"), "a worker that is recycled is followed by another one, and the restart policy is never")
	case limit > 0 && most >= limit:
		r.bad(key, "leave room below memory_max for the jitter, and for what the kernel counts beside", "a worker may reach limits.memory_max (%s) before %s (%s, and %s more of jitter): the kernel would kill it",
			t.Limits.MemoryMax, r.name(key), t.Recycle.MaxMemory, t.Recycle.Jitter)
	}
}

func (r *resolver) autoscale(table string, t PoolTable, p *Pool) {
	at := under(table, "autoscale")
	if !t.Workers.follows() {
		if t.Autoscale != (AutoscaleTable{}) {
			r.bad(at, "write workers = {min = 2, max = 16}", "autoscale needs to know how many workers there may be")
		}
		return
	}
	least, most := r.bounds(under(table, "workers"), t.Workers)
	p.Autoscale = plan.Autoscale{
		Min: least, Max: most, CPU: 10 * int(*t.Autoscale.CPU),
		UpAfter: time.Duration(*t.Autoscale.UpAfter), DownAfter: time.Duration(*t.Autoscale.DownAfter),
	}
	if t.Autoscale.Queue != nil {
		p.Autoscale.Queue = float64(*t.Autoscale.Queue)
	}
	switch blind := !tellsQueue(t.Listen, r.file.Listen); {
	case r.hasProblem(under(table, "listen")):
	case t.Autoscale.Queue != nil && blind:
		r.bad(under(at, "queue"), "leave it out", "no listener of pool %s tells how many wait: it would be a TCP one whose sockets are brood's", p.Name)
	case *t.Autoscale.CPU == 0 && blind:
		r.bad(under(at, "cpu"), "", "without cpu nothing tells the load of pool %s: no listener of it tells how many wait", p.Name)
	}
	for i, name := range p.Listen {
		if l, ok := r.listeners[name]; ok && l.Mode == listener.PerSlot && r.file.Listen[name].Public != 0 {
			r.bad(item(under(table, "listen"), i), "write a number of workers, or another mode", "the rules that lead to the ports of "+
				"listener %s are for a fixed number of workers", name)
		}
	}
}
