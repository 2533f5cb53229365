package supervisor

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// recorder takes note of failures in a bubble, for the test around it.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	errs []string
}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, text)
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.errs) > 0
}

func (r *recorder) Helper()                      {}
func (r *recorder) Error(args ...any)            { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) { r.note(fmt.Sprintf(f, args...)) }
func (r *recorder) Logf(f string, args ...any)   { r.note(fmt.Sprintf(f, args...)) }

// anyListeners are open at addresses whose mode never changes; the exclusive ones go to one pool each.
func anyListeners(t *rapid.T) (all []listener.Config) {
	for i, mode := range []listener.Mode{listener.Sharded, listener.Sharded, listener.PerSlot, listener.Shared} {
		if rapid.IntRange(0, 3).Draw(t, "listener?") == 0 {
			continue
		}
		cfg := tcp(fmt.Sprint(rapid.SampledFrom([]string{"l", "l", "l", "m"}).Draw(t, "name"), i), 81+10*i)
		if cfg.Mode = mode; mode == listener.Shared {
			cfg.Address = listener.Address{Network: "unix", Path: "/run/x.sock"}
			cfg.Perm = rapid.SampledFrom([]listener.Config{{}, {Perm: 0o600}}).Draw(t, "perm").Perm
		}
		if mode == listener.Sharded && rapid.IntRange(0, 5).Draw(t, "moved?") == 0 {
			cfg.Address.Port++
		}
		cfg.Backlog = rapid.SampledFrom([]int{0, 64}).Draw(t, "backlog")
		all = append(all, cfg)
	}
	return all
}

// anyDesired is any description that a configuration file may come to.
func anyDesired(t *rapid.T) plan.Desired {
	names := []string{"p0", "p1", "p2", "p3"}
	keep := rapid.IntRange(1, 15).Draw(t, "pools")
	names = slices.DeleteFunc(names, func(name string) bool { return keep>>(name[1]-'0')&1 == 0 })
	d := plan.Desired{Listeners: anyListeners(t)}
	for _, name := range names {
		d.Pools = append(d.Pools, anyPool(t, name))
	}
	for i := range d.Listeners {
		l := &d.Listeners[i]
		if l.Mode != listener.Shared {
			// Mostly the same pool, so that not everything moves at once.
			at := rapid.SampledFrom([]int{i, i, i, 0, 1, 2, 3}).Draw(t, "owner") % len(d.Pools)
			d.Pools[at].Listen = append(d.Pools[at].Listen, l.Name)
			continue
		}
		for j := range d.Pools {
			if rapid.Bool().Draw(t, "shares") {
				d.Pools[j].Listen = append(d.Pools[j].Listen, l.Name)
			}
		}
	}
	for i := range d.Pools {
		if i > 0 && rapid.IntRange(0, 2).Draw(t, "after?") == 0 {
			d.Pools[i].After = []string{d.Pools[rapid.IntRange(0, i-1).Draw(t, "after")].Name}
		}
	}
	return d
}

// strokes are what makes one pool differ from another.
var strokes = []struct {
	name string
	draw func(t *rapid.T, p *plan.Pool)
}{
	{"workers", func(t *rapid.T, p *plan.Pool) { p.Spec.Workers = rapid.IntRange(1, 4).Draw(t, "workers") }},
	{"autoscale", func(t *rapid.T, p *plan.Pool) {
		*p = between(*p, p.Spec.Workers, p.Spec.Workers+rapid.IntRange(0, 3).Draw(t, "more"))
	}},
	{"env", func(t *rapid.T, p *plan.Pool) {
		*p = leveled(*p, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "level"))
	}},
	{"command", func(_ *rapid.T, p *plan.Pool) { *p = newer(*p) }},
	{"dir", func(_ *rapid.T, p *plan.Pool) { p.Recipe.Dir = "/srv" }},
	{"umask", func(_ *rapid.T, p *plan.Pool) { p.Umask = new(uint32) }},
	{"limits", func(_ *rapid.T, p *plan.Pool) { p.Limits = []worker.Limit{{Resource: 7, Soft: 1024, Hard: 1024}} }},
	{"ready", func(_ *rapid.T, p *plan.Pool) {
		p.Ready = worker.Readiness{Kind: worker.ReadyDelay, Delay: time.Second}
	}},
	{"pre_start", func(_ *rapid.T, p *plan.Pool) { p.PreStart = []string{"migrate"} }},
	{"requires", func(_ *rapid.T, p *plan.Pool) { p.Requires = []string{"env:KEY"} }},
	{"order", func(_ *rapid.T, p *plan.Pool) {
		p.Spec.Order, p.Spec.MaxSurge, p.Spec.MaxUnavailable = machine.StopFirst, 0, 1
	}},
	{"settle", func(_ *rapid.T, p *plan.Pool) { p.Spec.Settle = 0 }},
	{"delay", func(_ *rapid.T, p *plan.Pool) { p.Spec.StopDelay = 2 * time.Second }},
	{"min ready", func(_ *rapid.T, p *plan.Pool) { p.Spec.MinReady = 3 * time.Second }},
	{"startup", func(_ *rapid.T, p *plan.Pool) { p.Health.Startup = checking() }},
	{"readiness", func(_ *rapid.T, p *plan.Pool) { p.Health.Readiness = checking() }},
	{"liveness", func(_ *rapid.T, p *plan.Pool) { p.Health.Liveness, p.Spec.Trace = checking(), time.Second }},
	{"hang", func(_ *rapid.T, p *plan.Pool) { p.Health.Hang = 30 * time.Second }},
	{"recycle", func(_ *rapid.T, p *plan.Pool) { p.Recycle.MaxRequests, p.Spec.RecycleGap = 1, 2*time.Second }},
	{"reload", func(_ *rapid.T, p *plan.Pool) { p.Spec.Reload = machine.ReloadRoll }},
	{"ids", func(t *rapid.T, p *plan.Pool) {
		p.Spec.FirstID = 100 * int(p.Name[1]-'0')
		p.Spec.LastID = p.Spec.FirstID + rapid.SampledFrom([]int{99, 99, 120}).Draw(t, "last id")
	}},
}

// checkHealth is the command of a probe; a sick worker does not pass it.
const checkHealth = "check"

func checking() *plan.Probe {
	return &plan.Probe{Config: probe.Config{Kind: probe.Exec, Command: checkHealth, Period: time.Minute, FailureThreshold: 1}}
}

// anyPool is any pool without listeners.
func anyPool(t *rapid.T, name string) plan.Pool {
	p := poolNamed(name)
	for _, stroke := range strokes {
		if rapid.IntRange(0, 4).Draw(t, stroke.name) == 0 {
			stroke.draw(t, &p)
		}
	}
	return p
}

// nearly is a description that differs from another one in single strokes.
func nearly(t *rapid.T, d plan.Desired) plan.Desired {
	near := plan.Desired{Listeners: slices.Clone(d.Listeners), Pools: slices.Clone(d.Pools)}
	for i := range near.Pools {
		if rapid.Bool().Draw(t, "change?") {
			stroke := rapid.SampledFrom(strokes).Draw(t, "stroke")
			stroke.draw(t, &near.Pools[i])
		}
	}
	for i := range near.Listeners {
		if rapid.IntRange(0, 4).Draw(t, "change?") == 0 {
			near.Listeners[i].Backlog = rapid.SampledFrom([]int{0, 64}).Draw(t, "backlog")
		}
	}
	return near
}
