package config

import (
	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/worker"
)

// limits are in the order of the table, so that the same limits are the same slice.
func (r *resolver) limits(table string, t LimitsTable) []worker.Limit {
	var all []worker.Limit
	for _, l := range []struct {
		key  string
		said *Limit
	}{
		{"nofile", t.NoFile},
		{"nproc", t.NProc},
		{"core", t.Core},
		{"as", t.AS},
		{"stack", t.Stack},
		{"memlock", t.MemLock},
		{"fsize", t.FSize},
	} {
		if l.said == nil {
			continue
		}
		limit, err := l.said.of(resourceOf(l.key))
		if err != nil {
			r.unreadable(under(table, l.key), string(*l.said), err)
		}
		all = append(all, limit)
	}
	return all
}

// leastCPU is what the kernel takes for cpu.max with its usual period.
const leastCPU = 1

// group reads the limits of a worker's control group.
func (r *resolver) group(table string, t LimitsTable) cgroup.Limits {
	l := cgroup.Limits{
		MemoryMax: r.size(under(table, "memory_max"), t.MemoryMax), MemoryHigh: r.size(under(table, "memory_high"), t.MemoryHigh),
		MemoryLow: r.size(under(table, "memory_low"), t.MemoryLow),
		CPUWeight: uint64(t.CPUWeight), IOWeight: uint64(t.IOWeight), PidsMax: uint64(t.PidsMax),
	}
	if t.CPUMax != nil {
		l.CPUMax = t.CPUMax.of(1000)
		if key := under(table, "cpu_max"); *t.CPUMax < leastCPU {
			r.bad(key, "leave it out if there is no limit", "cannot have %s %s: the least is %d%% of a CPU", r.name(key), *t.CPUMax, leastCPU)
		}
	}
	for _, w := range []struct {
		key  string
		said Weight
	}{{"cpu_weight", t.CPUWeight}, {"io_weight", t.IOWeight}} {
		if w.said != 0 {
			r.within(under(table, w.key), int64(w.said), &w.said)
		}
	}
	for _, pair := range []struct {
		low, high   string
		least, most uint64
	}{
		{"memory_high", "memory_max", l.MemoryHigh, l.MemoryMax},
		{"memory_low", "memory_high", l.MemoryLow, l.MemoryHigh},
		{"memory_low", "memory_max", l.MemoryLow, l.MemoryMax},
	} {
		if key := under(table, pair.low); pair.most > 0 && pair.least > pair.most {
			r.bad(key, "", "%s is above %s", r.name(key), r.name(under(table, pair.high)))
		}
	}
	return l
}

// size reads a number of bytes, 0 if it is not said.
func (r *resolver) size(key string, s Size) uint64 {
	if s == "" {
		return 0
	}
	n, err := s.Of()
	if err != nil {
		r.unreadable(key, string(s), err)
	}
	return n
}
