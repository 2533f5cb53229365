package config

import (
	"slices"
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/require"
	"github.com/broodctl/brood/worker"
)

// pool reads one [pool.NAME].
func (r *resolver) pool(name string, t PoolTable) {
	table := Key("pool", name)
	if !poolName.MatchString(name) {
		r.bad(table, "", "cannot call a pool %q: use up to 64 letters, digits, and - _ .", name)
	}
	p := Pool{
		Name: name, Listen: slices.Clone(t.Listen),
		RequiresTimeout: time.Duration(*t.RequiresTimeout), PreStart: slices.Clone(t.PreStart), After: slices.Clone(t.After),
		Requires: slices.Clone(t.Requires),
	}
	p.Orphans = oneOf(r, under(table, "orphans"), t.Orphans, map[string]worker.OrphanPolicy{
		"kill": worker.OrphanKill, "term": worker.OrphanTerm, "keep": worker.OrphanKeep,
	})
	r.log(under(table, "log"), t.Log, &p)
	p.Spec = r.spec(table, t)
	p.Fleet = r.fleet(under(table, "rollout"), t.Rollout.Fleet)
	p.Spec.Turns = p.Fleet.Name != ""
	p.Signals = r.signals(table, t)
	p.Clean = r.cleanExits(table, t.Restart.CleanExits)
	p.Limits, p.Cgroup = r.limits(under(table, "limits"), t.Limits), r.group(under(table, "limits"), t.Limits)
	p.Umask = r.umask(table, t.Umask)
	p.Settings, p.PrivateTmp = r.process(under(table, "process"), t.Process), t.Process.PrivateTmp
	r.lists(table, t)
	r.listen(table, &p)
	p.Ready, p.ReadySaid = r.ready(table, or(t.Ready, readyAuto), &p), t.Readiness.said() && t.Ready != ""
	r.health(table, t, &p)
	r.recipe(table, t, &p)
	r.cfg.Pools = append(r.cfg.Pools, p)
}

func (r *resolver) umask(table, word string) *uint32 {
	if word == "" {
		return nil
	}
	n, err := strconv.ParseUint(word, 8, 32)
	if err != nil || n > 0o777 {
		r.unreadable(under(table, "umask"), word, errUmask)
		return nil
	}
	mask := uint32(n)
	return &mask
}

// lists reports entries that say nothing, or the same twice.
func (r *resolver) lists(table string, t PoolTable) {
	for _, l := range []struct {
		key  string
		said []string
	}{
		{"listen", t.Listen},
		{"env_file", t.EnvFile},
		{"groups", t.Groups},
		{"worker_id_env", t.WorkerIDEnv},
		{"fds_env", t.FDsEnv},
		{"requires", t.Requires},
		{"pre_start", t.PreStart},
		{"after", t.After},
	} {
		key, list := l.key, l.said
		for i, word := range list {
			at := item(under(table, key), i)
			switch {
			case word == "":
				r.bad(at, "leave it out", "an entry of %s is empty", r.name(under(table, key)))
			case slices.Contains(list[:i], word) && key != "pre_start":
				r.bad(at, "leave it out", "%s has %q twice", r.name(under(table, key)), word)
			}
		}
	}
	for i, text := range t.Requires {
		if _, err := require.Parse(text); err != nil && text != "" {
			r.badSecret(item(under(table, "requires"), i), "", "%v", err)
		}
	}
}
