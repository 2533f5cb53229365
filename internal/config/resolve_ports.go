package config

import (
	"fmt"

	"github.com/broodctl/brood/listener"
)

// claim are the ports that a listener takes: one, or one for each slot of its pool.
type claim struct {
	config      listener.Config
	first, last int
}

func (c claim) ports() string {
	if c.first == c.last {
		return fmt.Sprintf("port %d", c.first)
	}
	return fmt.Sprintf("ports %d to %d", c.first, c.last)
}

// addresses reports listeners that are in each other's way.
func (r *resolver) addresses() {
	r.publicPorts()
	var before []claim
	for _, l := range r.cfg.Listeners {
		c, ok := r.claims(l.Name)
		if !ok {
			continue
		}
		key := Key("listen", l.Name, "address")
		if c.last > 65535 {
			r.bad(key, "", "listener %s needs %s, one for each worker, and 65535 is the last", l.Name, c.ports())
		}
		r.httpPort(key, c)
		for _, other := range before {
			r.collision(key, c, other)
		}
		before = append(before, c)
	}
}

func (r *resolver) collision(key string, c, other claim) {
	name, earlier := c.config.Name, other.config.Name
	a, b := c.config.Address, other.config.Address
	switch {
	case a == b && a.Network == "systemd":
		r.bad(key, "", "listeners %s and %s are the same socket of systemd's", earlier, name)
	case a == b && (a.Port != 0 || a.Network == "unix"):
		r.bad(key, "", "listeners %s and %s have the same address", earlier, name)
	case a.Network != b.Network || a.Network == "unix" || a.Network == "systemd":
	case c.first == c.last && other.first == other.last:
	case c.last >= other.first && other.last >= c.first && sameHost(a, b):
		r.bad(key, "each worker of a per-slot listener takes a port", "listener %s has %s, and listener %s has %s", name, c.ports(), earlier, other.ports())
	}
}

// sameHost reports whether sockets on both addresses get some of the same connections.
func sameHost(a, b listener.Address) bool {
	if a.Family != 0 && b.Family != 0 && a.Family != b.Family {
		return false
	}
	return a.Host == b.Host || anyHost(a.Host) || anyHost(b.Host)
}

func (r *resolver) claims(name string) (claim, bool) {
	l, ok := r.listeners[name]
	c := claim{config: l, first: l.Address.Port, last: l.Address.Port}
	if l.Mode != listener.PerSlot {
		return c, ok
	}
	for _, p := range r.cfg.Pools {
		for _, used := range p.Listen {
			if used == name {
				c.last = max(c.last, c.first+p.MostWorkers()-1)
			}
		}
	}
	return c, ok
}

// publicPorts reports two listeners that clients would reach at one port.
func (r *resolver) publicPorts() {
	for i, l := range r.cfg.Listeners {
		for _, other := range r.cfg.Listeners[:i] {
			if l.Public != 0 && l.Public == other.Public && sameHost(l.Address, other.Address) {
				r.bad(Key("listen", l.Name, "public"), "", "listeners %s and %s have the same public port %d", other.Name, l.Name, l.Public)
			}
		}
	}
}
