package config

import (
	"maps"
	"slices"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
)

// everything in a pool's listen is whatever socket systemd passes and no listener takes.
const everything = "*"

// listen checks the listeners that a pool names.
func (r *resolver) listen(table string, p *Pool) {
	for i, name := range p.Listen {
		key := item(under(table, "listen"), i)
		if _, ok := r.file.Listen[name]; !ok && name != everything && name != "" {
			r.bad(key, r.listenerHint(name), "there is no listener %q", name)
		}
		l, ok := r.listeners[name]
		if ok && l.Mode == listener.PerSlot && r.file.Pool[p.Name].Rollout.Order == "start-first" {
			r.bad(table+".rollout.order", "leave it out, or write "+quote("stop-first"),
				"start-first cannot be: listener %s is per-slot, and two workers cannot overlap on a port", name)
		}
	}
}

func (r *resolver) listenerHint(name string) string {
	all := slices.Sorted(maps.Keys(r.file.Listen))
	if len(all) == 0 {
		return "write a table [" + Key("listen", name) + "] with its address"
	}
	if near := nearest(name, all); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	if len(all) == 1 {
		return "there is only " + quote(all[0])
	}
	return didYouMean(name, all)
}

// users reports listeners that nobody uses, and those that several cannot use at once.
func (r *resolver) users() {
	users := map[string][]string{} // names of pools
	for _, p := range r.cfg.Pools {
		for i, name := range p.Listen {
			key := item(Key("pool", p.Name, "listen"), i)
			l, ok := r.listeners[name]
			switch {
			case len(users[name]) == 0 || slices.Contains(users[name], p.Name):
			case name == everything:
				r.bad(key, "name the sockets of one pool, as in address = "+quote("systemd:NAME"), "pool %s takes what systemd passes already", users[name][0])
			case ok && plan.Exclusive(&l):
				r.bad(key, "write mode = "+quote("shared")+" in ["+Key("listen", name)+"], or give each pool an address of its own",
					"listener %s is pool %s's already: its sockets belong to the workers of one pool", name, users[name][0])
			}
			users[name] = append(users[name], p.Name)
		}
	}
	for _, l := range r.cfg.Listeners {
		if len(users[l.Name]) == 0 && !r.lostListen() {
			r.bad(Key("listen", l.Name), "add it to the listen of a pool, or remove it", "listener %s is used by no pool", l.Name)
		}
	}
}

// lostListen reports whether some pool's listen could not be read, or names what is not there: that may have been meant
// for a listener that nobody seems to use.
func (r *resolver) lostListen() bool {
	if r.hasProblem("pool") || len(r.cfg.Pools) == 0 {
		return true
	}
	for _, p := range r.cfg.Pools {
		if r.hasProblem(Key("pool", p.Name, "listen")) || r.hasProblem(Key("pool", p.Name, "env", "listen")) {
			return true
		}
	}
	return false
}
