package config

import (
	"slices"
	"strings"

	"github.com/broodctl/brood/worker"
)

// process reads [pool.NAME.process].
func (r *resolver) process(table string, t ProcessTable) worker.Settings {
	s := worker.Settings{NoNewPrivs: t.NoNewPrivs}
	if t.Nice != nil {
		s.Nice = new(int(*t.Nice))
		r.within(under(table, "nice"), int64(*t.Nice), t.Nice)
	}
	if t.OOMScoreAdj != nil {
		s.OOMScoreAdj = new(int(*t.OOMScoreAdj))
		r.within(under(table, "oom_score_adj"), int64(*t.OOMScoreAdj), t.OOMScoreAdj)
	}
	if t.IOPrio != "" {
		p, err := parseIOPriority(t.IOPrio)
		if err != nil {
			r.unreadable(under(table, "ioprio"), t.IOPrio, err)
		}
		s.IOPriority = &p
	}
	if t.CPUs != "" {
		s.CPUs = r.placement(under(table, "cpus"), t.CPUs)
	}
	if t.Capabilities != nil {
		s.Capabilities = r.keptCapabilities(under(table, "capabilities"), *t.Capabilities)
	}
	return s
}

// within repeats for flags what reading a file has checked.
func (r *resolver) within(key string, n int64, b bounded) {
	if least, most := b.bounds(); n < least || n > most {
		r.bad(key, "", "cannot read %s %d: it is a number from %d to %d", r.name(key), n, least, most)
	}
}

func (r *resolver) keptCapabilities(key string, names []string) *worker.Capabilities {
	var kept worker.Capabilities
	known := worker.CapabilityNames()
	for i, name := range names {
		at, word := item(key, i), strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		n := slices.Index(known, word)
		switch {
		case n < 0:
			hint := "capabilities(7) lists them"
			if near := nearest(word, known); near != "" {
				hint = didYouMean(word, known)
			}
			r.bad(at, hint, "there is no capability %q", name)
			continue
		case kept&(1<<n) != 0:
			r.bad(at, "leave it out", "%s has %s twice", r.name(key), word)
		}
		kept |= 1 << n
	}
	return &kept
}

// placement reads where the workers run, and asks whether these CPUs can be had.
func (r *resolver) placement(key, word string) [][]int {
	p, err := parsePlacement(word)
	if err != nil {
		r.unreadable(key, word, err)
		return nil
	}
	if r.world.Processors == nil {
		return p.elsewhere()
	}
	there, err := r.world.Processors()
	if err != nil {
		r.bad(key, "", "cannot find out which CPUs there are: %v", err)
		return nil
	}
	sets, err := p.of(there)
	if err != nil {
		r.bad(key, hintOf(err), "cannot have %s %q: %v", r.name(key), word, err)
	}
	return sets
}
