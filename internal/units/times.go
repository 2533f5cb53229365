package units

import (
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/config"
)

const (
	// margin is what brood needs beyond its workers' own time: to notice, to reap, to log.
	margin = 15 * time.Second
	// leastStart is systemd's own default of TimeoutStartSec=.
	leastStart = 90 * time.Second
	// before the manager loses patience with a reload, the command that waits for it shall end with words.
	wordsFirst = 5 * time.Second
	// longest is how long a command waits for a reload that nothing bounds.
	longest = 24 * time.Hour
)

// chain is the longest way through pools that wait for each other (after), by the time that each of them takes.
func chain(cfg *config.Config, takes func(*config.Pool) time.Duration) time.Duration {
	done := map[string]time.Duration{}
	var of func(name string, depth int) time.Duration
	of = func(name string, depth int) time.Duration {
		if d, ok := done[name]; ok || depth > len(cfg.Pools) { // a circle, which a checked configuration has not
			return d
		}
		var own, before time.Duration
		for i := range cfg.Pools {
			if p := &cfg.Pools[i]; p.Name == name {
				own = takes(p)
				for _, other := range p.After {
					before = max(before, of(other, depth+1))
				}
			}
		}
		done[name] = own + before
		return done[name]
	}
	var all time.Duration
	for i := range cfg.Pools {
		all = max(all, of(cfg.Pools[i].Name, 0))
	}
	return all
}

// stopTime is how long systemd has to wait for the end.
func stopTime(cfg *config.Config) time.Duration {
	if cfg.StopTimeout > 0 {
		return cfg.StopTimeout
	}
	return margin + chain(cfg, func(p *config.Pool) time.Duration {
		return p.Spec.StopDelay + p.Spec.Settle + p.Spec.Grace
	})
}

// startTime is how long systemd has to wait for the start, and for a reload, for which it has no setting of its own.
// 0 is for ever.
func startTime(cfg *config.Config) time.Duration {
	for i := range cfg.Pools {
		if cfg.Pools[i].Spec.ReadyTimeout == 0 {
			return 0
		}
	}
	start := chain(cfg, func(p *config.Pool) time.Duration {
		d := p.Spec.ReadyTimeout
		if len(p.Requires) > 0 {
			d += p.RequiresTimeout
		}
		return d
	})
	return max(leastStart, margin+start, margin+chain(cfg, rollTime))
}

// rollTime is what a rollout of a pool takes when one of its workers uses all the time it has, and the others little.
func rollTime(p *config.Pool) time.Duration {
	s := p.Spec
	s.Workers = p.MostWorkers()
	surge, missing := s.MaxSurge, s.MaxUnavailable
	if s.SurgePercent > 0 {
		surge = (s.Workers*s.SurgePercent + 99) / 100
	}
	if s.UnavailablePercent > 0 {
		missing = s.Workers * s.UnavailablePercent / 100
	}
	atOnce := max(1, surge+missing)
	waves := time.Duration((s.Workers + atOnce - 1) / atOnce)
	return s.ReadyTimeout + s.Canary + waves*(s.MinReady+max(s.Settle, s.StopDelay)) + s.Grace
}

// seconds writes a duration for systemd, rounded up.
func seconds(d time.Duration) string {
	if d == 0 {
		return "infinity"
	}
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
