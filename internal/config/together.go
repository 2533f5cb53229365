package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// together reports what does not fit between tables.
func (r *resolver) together() {
	atRoot := func(p Problem) bool { return p.Key != "" && parent(p.Key) == "" }
	if len(r.file.Pool) == 0 && !slices.ContainsFunc(r.problems, atRoot) {
		r.bad("pool", "a pool is a table [pool.NAME] with at least a command", "there is no pool")
	}
	r.users()
	r.addresses()
	r.workerIDs()
	r.logFiles()
	if r.after() {
		r.stopTime()
	}
}

// workerIDs reports ranges of two pools that overlap: their workers could be alive under one number.
func (r *resolver) workerIDs() {
	for i, p := range r.cfg.Pools {
		key := Key("pool", p.Name, "worker_ids")
		for _, other := range r.cfg.Pools[:i] {
			if r.file.Pool[p.Name].WorkerIDs == "" || r.file.Pool[other.Name].WorkerIDs == "" {
				continue
			}
			if p.Spec.FirstID <= other.Spec.LastID && other.Spec.FirstID <= p.Spec.LastID && !r.hasProblem(Key("pool", other.Name, "worker_ids")) {
				r.bad(key, "", "the worker ids of pool %s overlap with %s of pool %s", p.Name, r.file.Pool[other.Name].WorkerIDs, other.Name)
			}
		}
	}
}

// after reports pools that wait for what is not there, or in a circle; it returns whether the order is sound.
func (r *resolver) after() bool {
	sound := true
	bad := func(key, hint, format string, args ...any) {
		r.bad(key, hint, format, args...)
		sound = false
	}
	for _, p := range r.cfg.Pools {
		for i, name := range p.After {
			key := item(Key("pool", p.Name, "after"), i)
			_, known := r.file.Pool[name]
			switch {
			case name == "":
				sound = false // reported with the lists
			case name == p.Name:
				bad(key, "", "pool %s cannot come after itself", name)
			case !known:
				bad(key, didYouMeanOnly(name, r.poolNames()), "there is no pool %q", name)
			}
		}
	}
	if !sound {
		return false
	}
	for _, p := range r.cfg.Pools {
		if circle := r.circle(p.Name); circle != nil {
			bad(item(Key("pool", p.Name, "after"), slices.Index(p.After, circle[1])), "",
				"pools wait for each other in a circle: %s", strings.Join(circle, " -> "))
			return false // the others see the same one
		}
	}
	return true
}

func (r *resolver) poolNames() []string {
	var names []string
	for _, p := range r.cfg.Pools {
		names = append(names, p.Name)
	}
	return names
}

// circle is a way along after from a pool back to it; nil if there is none.
func (r *resolver) circle(start string) []string {
	seen := map[string]bool{}
	var walk func(way []string) []string
	walk = func(way []string) []string {
		for _, next := range r.pooled(way[len(way)-1]).After {
			if next == start {
				return append(way, start)
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if found := walk(append(slices.Clone(way), next)); found != nil {
				return found
			}
		}
		return nil
	}
	return walk([]string{start})
}

func (r *resolver) pooled(name string) *Pool {
	i := slices.IndexFunc(r.cfg.Pools, func(p Pool) bool { return p.Name == name })
	return &r.cfg.Pools[i]
}

// stopTime reports pools that may take longer to stop than whoever runs brood waits. Pools stop one after another along
// after, those that others wait for last; nobody settles then, because there is nobody left to steer to.
func (r *resolver) stopTime() {
	limit := r.cfg.StopTimeout
	if limit == 0 {
		return
	}
	chain := r.slowest()
	var total time.Duration
	var parts []string
	for _, name := range chain {
		spec := r.pooled(name).Spec
		total += spec.StopDelay + spec.Grace
		parts = append(parts, stopWords(name, spec.StopDelay, spec.Grace))
	}
	if total <= limit {
		return
	}
	key := "supervisor.stop_timeout"
	if said := Key("pool", chain[0], "stop", "grace"); len(chain) == 1 && r.says(said) {
		key = said
	}
	r.bad(key, fmt.Sprintf("whoever waits %s kills what is left then: shorten grace or delay, or raise it there and here", limit),
		"a stop may take %s, longer than stop_timeout (%s): %s", total, limit, strings.Join(parts, ", then "))
}

func stopWords(name string, delay, grace time.Duration) string {
	if delay == 0 {
		return fmt.Sprintf("pool %s has a grace of %s", name, grace)
	}
	return fmt.Sprintf("pool %s has a delay of %s and a grace of %s", name, delay, grace)
}

// says reports whether the file has the key.
func (r *resolver) says(key string) bool {
	if r.doc == nil {
		return true
	}
	_, ok := r.doc.marks[key]
	return ok
}

// slowest is the chain of pools that takes longest to stop, in the order of stopping.
func (r *resolver) slowest() []string {
	type chain struct {
		pools []string
		took  time.Duration
	}
	known := map[string]chain{}
	var from func(name string) chain
	from = func(name string) chain {
		if c, ok := known[name]; ok {
			return c
		}
		p := r.pooled(name)
		var longest chain
		for _, next := range p.After {
			if c := from(next); longest.pools == nil || c.took > longest.took {
				longest = c
			}
		}
		c := chain{append([]string{name}, longest.pools...), longest.took + p.Spec.StopDelay + p.Spec.Grace}
		known[name] = c
		return c
	}
	var longest chain
	for _, p := range r.cfg.Pools {
		if c := from(p.Name); longest.pools == nil || c.took > longest.took {
			longest = c
		}
	}
	return longest.pools
}
