package config

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

const (
	// dumpGap is more than a second, because heap dumps are named by the second: two workers of one directory would
	// write one file.
	dumpGap = 1200 * time.Millisecond
	// stableAfter is how long a worker has to live for its slot's failures to be forgotten.
	stableAfter = time.Minute
	// recycleAge tells a program that recycles itself from one that ends at once for lack of anything to do.
	recycleAge = time.Second
)

// spec reads how many workers there are, and how they are replaced. The seed of the jitter stays the caller's.
func (r *resolver) spec(table string, t PoolTable) machine.Spec {
	spec := machine.Spec{
		ReadyTimeout: time.Duration(*t.Rollout.ReadyTimeout), MinReady: time.Duration(*t.Rollout.MinReady),
		Canary: time.Duration(*t.Rollout.Canary), Settle: time.Duration(*t.Rollout.Settle),
		StopDelay: time.Duration(*t.Stop.Delay), Grace: time.Duration(*t.Stop.Grace),
		DumpGap: dumpGap, LastID: math.MaxInt32, Leader: t.Leader,
		Backoff: machine.Backoff{
			Base: time.Duration(*t.Restart.Backoff), Max: time.Duration(*t.Restart.MaxBackoff),
			GiveUpAfter: *t.Restart.GiveUpAfter, StableAfter: stableAfter, RecycleAge: recycleAge,
		},
	}
	r.notNegative(table, t)
	least, most := r.bounds(under(table, "workers"), t.Workers)
	spec.Workers = least
	var err error
	if r.shares() {
		spec.LastID = lastSharedID
	}
	if t.WorkerIDs != "" {
		if spec.FirstID, spec.LastID, err = parseRange(t.WorkerIDs); err != nil {
			r.unreadable(under(table, "worker_ids"), t.WorkerIDs, err)
		}
	}
	spec.Order = oneOf(r, table+".rollout.order", t.Rollout.Order, map[string]machine.Order{
		"start-first": machine.StartFirst, "stop-first": machine.StopFirst,
	})
	spec.Reload = oneOf(r, table+".reload", t.Reload, map[string]machine.ReloadPolicy{
		"auto": machine.ReloadAuto, "signal": machine.ReloadSignal, "roll": machine.ReloadRoll,
	})
	spec.Restart = oneOf(r, table+".restart.policy", t.Restart.Policy, map[string]machine.RestartPolicy{
		"always": machine.RestartAlways, "on-failure": machine.RestartOnFailure, "never": machine.RestartNever,
	})
	spec.MaxSurge, spec.SurgePercent = r.share(table+".rollout.max_surge", *t.Rollout.MaxSurge)
	spec.MaxUnavailable, spec.UnavailablePercent = r.share(table+".rollout.max_unavailable", *t.Rollout.MaxUnavailable)
	r.specFits(table, t, spec)
	if most > least {
		spec.Workers = most
		r.specFits(table, t, spec)
		spec.Workers = least
	}
	return spec
}

// bounds reads how many workers there are at least and at most. Both are 0 if either cannot be read.
func (r *resolver) bounds(key string, w *Workers) (least, most int) {
	read := func(key string, c Count) int {
		n, err := c.Of(r.world.CPUs)
		if err != nil {
			r.unreadable(key, string(c), err)
		}
		return n
	}
	if !w.follows() {
		n := read(key, w.Count)
		return n, n
	}
	if w.Max == "" {
		if !r.anyIn(key) {
			r.bad(key, "write {min = 2, max = 16}, for example", "%s has no max", r.name(key))
		}
		return 0, 0
	}
	least, most = read(under(key, "min"), w.Min), read(under(key, "max"), w.Max)
	switch {
	case least == 0 || most == 0:
		return 0, 0
	case least > most:
		r.bad(under(key, "min"), "", "%s (%d) is above %s (%d)", r.name(under(key, "min")), least, r.name(under(key, "max")), most)
		return 0, 0
	}
	return least, most
}

func (r *resolver) share(key string, s Share) (number, percent int) {
	number, percent, err := s.Of()
	if err != nil {
		r.unreadable(key, string(s), err)
	}
	return number, percent
}

// notNegative repeats for flags what reading a file has checked.
func (r *resolver) notNegative(table string, t PoolTable) {
	for _, d := range []struct {
		key  string
		said *Duration
	}{
		{"rollout.ready_timeout", t.Rollout.ReadyTimeout},
		{"rollout.min_ready", t.Rollout.MinReady},
		{"rollout.canary", t.Rollout.Canary},
		{"rollout.settle", t.Rollout.Settle},
		{"stop.delay", t.Stop.Delay},
		{"stop.grace", t.Stop.Grace},
		{"restart.backoff", t.Restart.Backoff},
		{"restart.max_backoff", t.Restart.MaxBackoff},
		{"requires_timeout", t.RequiresTimeout},
	} {
		if at := table + "." + d.key; *d.said < 0 {
			r.bad(at, "", "cannot read %s %s: a duration is not negative", r.name(at), d.said)
		}
	}
	if at := table + ".restart.give_up_after"; *t.Restart.GiveUpAfter < 0 {
		r.bad(at, "", "cannot read %s %d: it is not negative", r.name(at), *t.Restart.GiveUpAfter)
	}
}

// specFits reports numbers that cannot be together.
func (r *resolver) specFits(table string, t PoolTable, s machine.Spec) {
	before, surge, rollout := len(r.problems), s.Surge(), table+".rollout."
	if s.Workers == 0 {
		return // it could not be read, and all else depends on it
	}
	if s.Order == machine.StartFirst && surge < 1 {
		r.bad(rollout+"max_surge", "", "%s of 0 leaves no room for start-first: the successor runs beside the incumbent", r.name(rollout+"max_surge"))
	}
	if s.Order == machine.StopFirst && s.Unavailable() < 1 {
		r.bad(rollout+"max_unavailable", "", "%s of 0 leaves no room for stop-first: the slot is empty while its successor starts",
			r.name(rollout+"max_unavailable"))
	}
	if s.UnavailablePercent > 100 {
		r.bad(rollout+"max_unavailable", "", "cannot read %s %q: at most 100%% of the workers can be missing", r.name(rollout+"max_unavailable"), *t.Rollout.MaxUnavailable)
	}
	if room := s.LastID - s.FirstID + 1; t.WorkerIDs != "" && s.LastID > 0 && room < s.Workers+surge {
		r.bad(table+".worker_ids", "", "%s %s has room for %d, but %d workers and a surge of %d may live at once",
			r.name(table+".worker_ids"), t.WorkerIDs, room, s.Workers, surge)
	}
	if s.Backoff.Max < s.Backoff.Base {
		at := table + ".restart.max_backoff"
		r.bad(at, "", "%s (%s) is below %s (%s)", r.name(at), s.Backoff.Max, r.name(table+".restart.backoff"), s.Backoff.Base)
	}
	if err := s.Validate(); err != nil && len(r.problems) == before && !r.anyIn(table) {
		r.bad(table, "", "pool %s cannot run: %v", strings.TrimPrefix(table, "pool."), err)
	}
}

func parseRange(word string) (first, last int, err error) {
	a, b, ok := strings.Cut(word, "-")
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || !digits(a) || !digits(b) || last < first || last > math.MaxInt32 {
		return 0, 0, errRange
	}
	return first, last, nil
}
