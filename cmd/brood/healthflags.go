package main

import (
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
)

// healthFlags say when a worker is replaced that does not end by itself. A file can say more.
func healthFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("readiness-http", "", "a worker gets connections while GET of this `PATH` of its own socket is answered with 200 to 399, from its start on"),
		stringFlag("liveness-http", "", "a worker is replaced when GET of this `PATH` was not answered with 200 to 399 three times, 10s apart"),
		durationFlag("watchdog", 0, "a worker is replaced that does not say WATCHDOG=1 for so long; 0 is never"),
		durationFlag("hang", 0, "a worker is replaced that is stopped, or takes none of the connections that wait for it, for so long; 0 is never"),
		durationFlag("max-lifetime", 0, "a worker is replaced that has lived so long; 0 is never"),
		stringFlag("max-memory", "", "a worker is replaced that has, with its descendants, so many `BYTES`, such as 500M"),
		intFlag("max-requests", "a worker is replaced that has said BROOD_REQUESTS=`N` or more; 0 is never"),
	}
}

func (r *flagReader) workers() *config.Workers {
	n := config.Count(r.c.String("workers"))
	switch {
	case r.c.IsSet("max-workers") && r.c.IsSet("workers"):
		return &config.Workers{Min: n, Max: config.Count(r.c.String("max-workers"))}
	case r.c.IsSet("max-workers"):
		return &config.Workers{Max: config.Count(r.c.String("max-workers"))}
	case r.c.IsSet("workers"):
		return &config.Workers{Count: n}
	}
	return nil
}

func (r *flagReader) health(p *config.PoolTable) {
	p.Readiness.HTTP, p.Liveness.HTTP = r.c.String("readiness-http"), r.c.String("liveness-http")
	p.Health = config.HealthTable{Watchdog: r.duration("watchdog"), Hang: r.duration("hang")}
	p.Recycle = config.RecycleTable{
		MaxLifetime: r.duration("max-lifetime"), MaxMemory: config.Size(r.c.String("max-memory")), MaxRequests: r.c.Int("max-requests"),
	}
}

// limits reads those of setrlimit and those of a control group.
func (r *flagReader) limits() config.LimitsTable {
	var t config.LimitsTable
	resources := map[string]**config.Limit{
		"nofile": &t.NoFile, "nproc": &t.NProc, "core": &t.Core, "as": &t.AS, "stack": &t.Stack, "memlock": &t.MemLock, "fsize": &t.FSize,
	}
	sizes := map[string]*config.Size{"memory_max": &t.MemoryMax, "memory_high": &t.MemoryHigh, "memory_low": &t.MemoryLow}
	numbers := map[string]func(int){
		"cpu_weight": func(n int) { t.CPUWeight = config.Weight(n) }, "io_weight": func(n int) { t.IOWeight = config.Weight(n) },
		"pids_max": func(n int) { t.PidsMax = n },
	}
	for name, value := range r.pairs("limit") {
		switch {
		case resources[name] != nil:
			*resources[name] = new(config.Limit(value))
		case sizes[name] != nil:
			*sizes[name] = config.Size(value)
		case name == "cpu_max":
			t.CPUMax = new(config.Percent)
			if err := t.CPUMax.UnmarshalText([]byte(value)); err != nil {
				r.bad("cannot read --limit %s=%s: %w", name, value, err)
			}
		case numbers[name] != nil:
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				r.bad("cannot read --limit %s=%s: it is a number from 1 on", name, value)
				continue
			}
			numbers[name](n)
		default:
			r.bad("cannot read --limit %s=%s: it is one of nofile, nproc, core, as, stack, memlock, fsize, "+
				"memory_max, memory_high, memory_low, cpu_max, cpu_weight, pids_max, io_weight", name, value)
		}
	}
	return t
}
