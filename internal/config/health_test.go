package config

import (
	"testing"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/supervisor/plan"
)

func TestHealth(t *testing.T) {
	type found struct{ Watchdog, Hang, Trace time.Duration }
	keys(t, poolHead, "health", pool(func(p Pool) any { return found{p.Health.Watchdog, p.Health.Hang, p.Spec.Trace} }), map[string]any{
		`{}`:                                found{Trace: 2 * time.Second},
		`{watchdog = "30s", hang = "10s"}`:  found{30 * time.Second, 10 * time.Second, 2 * time.Second},
		`{trace = "0s", watchdog = "0s"}`:   found{},
		`{hang = "100ms", trace = "1m30s"}`: found{0, 100 * time.Millisecond, 90 * time.Second},
	}, "")
}

func TestRecycle(t *testing.T) {
	type found struct {
		When plan.Recycle
		Gap  time.Duration
	}
	keys(t, poolHead, "recycle", pool(func(p Pool) any { return found{p.Recycle, p.Spec.RecycleGap} }), map[string]any{
		`{}`:                    found{},
		`{max_requests = 1000}`: found{plan.Recycle{MaxRequests: 1000, Jitter: 10}, 30 * time.Second},
		`{max_lifetime = "12h", max_memory = "500M", jitter = "0%", gap = "0s"}`: found{plan.Recycle{MaxLifetime: 12 * time.Hour, MaxMemory: 500 << 20}, 0},
		`{max_memory = 1048576, jitter = "100%", gap = "1m"}`:                    found{plan.Recycle{MaxMemory: 1 << 20, Jitter: 100}, time.Minute},
	}, "")
	memory := pool(func(p Pool) any { return p.Recycle.MaxMemory })
	keys(t, poolHead+"limits.memory_max = \"512M\"\n", "recycle", memory,
		map[string]any{`{max_memory = "400M"}`: uint64(400 << 20), `{max_memory = "511M", jitter = "0%"}`: uint64(511 << 20)},
		"before max_memory", `{max_memory = "512M", jitter = "0%"}`, `{max_memory = "1G"}`, `{max_memory = "470M"}`)
}

func TestGroups(t *testing.T) {
	keys(t, poolHead, "limits", pool(func(p Pool) any { return p.Cgroup }), map[string]any{
		`{nofile = 100}`:      cgroup.Limits{},
		`{memory_max = "1G"}`: cgroup.Limits{MemoryMax: 1 << 30},
		`{memory_high = "512M", memory_max = "512M", memory_low = "512M"}`:       cgroup.Limits{MemoryMax: 512 << 20, MemoryHigh: 512 << 20, MemoryLow: 512 << 20},
		`{cpu_max = "150%", cpu_weight = 1, io_weight = 10_000, pids_max = 200}`: cgroup.Limits{CPUMax: 1500, CPUWeight: 1, IOWeight: 10_000, PidsMax: 200},
	}, "")
}

func TestAutoscale(t *testing.T) {
	type found struct {
		Workers int
		Scale   plan.Autoscale
	}
	get := pool(func(p Pool) any { return found{p.Spec.Workers, p.Autoscale} })
	usual := plan.Autoscale{Min: 2, Max: 9, CPU: 800, UpAfter: 5 * time.Second, DownAfter: 2 * time.Minute}
	with := func(a plan.Autoscale, change func(*plan.Autoscale)) plan.Autoscale {
		change(&a)
		return a
	}
	keys(t, poolHead, "workers", get, map[string]any{
		`3`:                           found{3, plan.Autoscale{}},
		`{min = 2, max = "2*cpus+1"}`: found{2, usual},
		`{max = 9}`:                   found{1, with(usual, func(a *plan.Autoscale) { a.Min = 1 })},
		`{min = "cpus", max = 4}`:     found{4, with(usual, func(a *plan.Autoscale) { a.Min, a.Max = 4, 4 })},
	}, "", `{min = 2}`, `{min = 5, max = 4}`)
	const head = "[listen.x]\naddress = \":80\"\n" + poolHead + "listen = [\"x\"]\nworkers = {min = 2, max = 9}\n"
	keys(t, head, "autoscale", get, map[string]any{
		`{}`:                        found{2, with(usual, func(a *plan.Autoscale) { a.Queue = 1 })},
		`{queue = 0.5, cpu = "0%"}`: found{2, with(usual, func(a *plan.Autoscale) { a.Queue, a.CPU = 0.5, 0 })},
		`{queue = 3, up_after = "0s", down_after = "1h", cpu = "250%"}`: found{2, plan.Autoscale{
			Min: 2, Max: 9, Queue: 3, CPU: 2500, DownAfter: time.Hour,
		}},
	}, "")
}

func TestQueueAware(t *testing.T) {
	get := func(c *Config) any { return c.Listeners[0].QueueAware }
	keys(t, listenerHead+"address = \":80\"\n", "queue_aware", get, map[string]any{`true`: true, `false`: false}, "queue_aware", `1`)
	keys(t, listenerHead+"address = \"unix:/x\"\n", "queue_aware", get, map[string]any{`false`: false}, "for sharded TCP", `true`)
}

func TestPrivateTmp(t *testing.T) {
	keys(t, poolHead, "process.private_tmp", pool(func(p Pool) any { return p.PrivateTmp }), map[string]any{`true`: true, `false`: false}, "true or false", `"yes"`)
}

// Percentages of numbers are as exact as they can be, however large.
func TestPercentOf(t *testing.T) {
	for _, c := range []struct {
		p       Percent
		n, want uint64
	}{{150, 1000, 1500}, {1, 1000, 10}, {110, 500 << 20, 550 << 20}, {200, 1 << 62, 1<<63 - 8}, {0, 5, 0}} {
		if got := c.p.of(c.n); got != c.want {
			t.Errorf("%s of %d: %d, want %d", c.p, c.n, got, c.want)
		}
	}
}
