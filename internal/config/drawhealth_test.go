package config

import "pgregory.net/rapid"

// drawHealth fills the tables of probes, health, recycling, autoscaling and control groups, mostly with what fits together.
func drawHealth(t *rapid.T, p *PoolTable) {
	p.Startup, p.Readiness, p.Liveness = drawProbe(t, "startup", 1), drawProbe(t, "readiness", 4), drawProbe(t, "liveness", 1)
	p.Health = HealthTable{Watchdog: maybe(t, "watchdog", duration(1, 60)), Hang: maybe(t, "hang", duration(1, 60)), Trace: maybe(t, "trace", duration(0, 9))}
	if p.Startup.said() || p.Readiness.said() {
		p.Rollout.ReadyTimeout = maybe(t, "ready_timeout", duration(200, 300))
	}
	if p.Restart.Policy != "never" && rapid.Bool().Draw(t, "recycle") {
		p.Recycle = RecycleTable{
			MaxLifetime: maybe(t, "max_lifetime", duration(1, 9999)), MaxMemory: Size(word(t, "max_memory", "1048576", "512M")), MaxRequests: rapid.IntRange(1, 9).Draw(t, "max_requests"),
			Jitter: maybe(t, "jitter", percent(0, 100)), Gap: maybe(t, "gap", duration(0, 60)),
		}
	}
	if p.Workers != nil && p.Workers.follows() {
		p.Autoscale = AutoscaleTable{
			Queue: maybe(t, "queue", rapid.SampledFrom([]Depth{0.25, 1, 1.5, 1e6})), CPU: maybe(t, "cpu", percent(0, 400)),
			UpAfter: maybe(t, "up_after", duration(0, 60)), DownAfter: maybe(t, "down_after", duration(0, 600)),
		}
	}
	l := &p.Limits
	l.MemoryMax, l.MemoryHigh = Size(word(t, "memory_max", "2G", "1T")), Size(word(t, "memory_high", "1G", "1048576K"))
	l.MemoryLow = Size(word(t, "memory_low", "64M"))
	l.CPUMax, l.PidsMax = maybe(t, "cpu_max", percent(1, 800)), rapid.IntRange(0, 9).Draw(t, "pids_max")
	l.CPUWeight, l.IOWeight = Weight(rapid.IntRange(0, 10_000).Draw(t, "cpu_weight")), Weight(rapid.IntRange(0, 10_000).Draw(t, "io_weight"))
}

func drawProbe(t *rapid.T, role string, successes int) ProbeTable {
	const none = 6
	kind := rapid.IntRange(0, 3*none).Draw(t, role)
	if kind >= none {
		return ProbeTable{}
	}
	threshold := rapid.IntRange(0, 9)
	p := ProbeTable{
		InitialDelay: maybe(t, "initial_delay", duration(0, 9)), Period: maybe(t, "period", duration(1, 9)), Timeout: maybe(t, "timeout", duration(1, 9)),
		SuccessThreshold: rapid.IntRange(0, successes).Draw(t, "success_threshold"), FailureThreshold: threshold.Draw(t, "failure_threshold"),
	}
	at := "unix:/run/\"" + role + "\" {{.WorkerID}}.sock"
	switch kind {
	case 0:
		p.HTTP, p.Address = word(t, "http", "/livez", "https:/x?y", "/\"quoted\""), at
		p.Status, p.Body, p.Host = word(t, "status", "200", "2xx, 301-399"), word(t, "body", `^\d+"$`, "ok|"), word(t, "host", "a.example:80")
		p.Headers = rapid.SampledFrom([]map[string]string{nil, {}, {"A": "", "X-B": "c: \"d\""}}).Draw(t, "headers")
	case 1:
		p.HTTP, p.Listener = "/", word(t, "listener", "l0.0")
	case 2:
		p.TCP = ":9{{.WorkerID}}"
	case 3:
		p.Unix = word(t, "unix", "@{{.WorkerID}}", "/run/{{.WorkerID}}")
	case 4:
		p.Exec = "test \"$BROOD_SLOT\" = 'x y'"
	default:
		p.GRPC, p.Address = new(word(t, "grpc", "shop.Web")), at
	}
	return p
}

func percent(least, most int) *rapid.Generator[Percent] {
	return rapid.Map(rapid.IntRange(least, most), func(n int) Percent { return Percent(n) })
}
