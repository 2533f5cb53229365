package config

import (
	"io/fs"
	"strconv"
	"strings"

	"github.com/broodctl/brood/listener"
)

// listener reads one [listen.NAME].
func (r *resolver) listener(name string, t ListenTable) {
	table := Key("listen", name)
	l := listener.Config{Name: name, Backlog: t.Backlog}
	bad := func(key, word string, err error) {
		if err != nil {
			r.unreadable(under(table, key), word, err)
		}
	}
	err := listener.CheckName(name)
	if err != nil {
		r.badName(table, "", "cannot call a listener %q: %v", name, err)
	}
	known := err == nil
	switch l.Address, err = listener.ParseAddress(t.Address); {
	case err == nil:
	case t.Address == "":
		r.bad(under(table, "address"), `write address = ":8080", for example`, "listener %s has no address", name)
	default:
		r.bad(under(table, "address"), "", "%v", err)
	}
	known = known && err == nil
	l.Mode, err = listener.ParseMode(t.Mode)
	bad("mode", t.Mode, wordError(t.Mode, listener.ModeNames(), err))
	if t.Steer != "" {
		l.Steer, err = listener.ParsePolicy(t.Steer)
		bad("steer", t.Steer, wordError(t.Steer, listener.PolicyNames(), err))
	}
	l.QueueAware = t.QueueAware != nil && *t.QueueAware
	if t.Perm != "" {
		l.Perm, err = parsePerm(t.Perm)
		bad("perm", t.Perm, err)
	}
	if t.Owner != "" {
		l.Owner, l.Group, err = r.parseOwner(t.Owner)
		bad("owner", t.Owner, err)
	}
	if known {
		r.listenerFits(table, t, l)
		r.listeners[name] = l
	}
	r.cfg.Listeners = append(r.cfg.Listeners, Listener{Config: l, Public: t.Public})
}

// listenerFits reports keys that cannot be together.
func (r *resolver) listenerFits(table string, t ListenTable, l listener.Config) {
	network := l.Address.Network
	for rest := l; ; { // one fault at a time is what Validate tells
		err := rest.Validate()
		if err == nil {
			break
		}
		key := blame(rest)
		r.bad(under(table, key), "", "listener %s: %v", l.Name, err)
		switch key {
		case "mode", "address":
			rest.Mode = listener.Auto
		case "queue_aware":
			rest.QueueAware = false
		case "backlog":
			rest.Backlog = 0
		case "perm":
			rest.Perm = 0
		default:
			rest.Owner, rest.Group = "", ""
		}
	}
	// Which port of a per-slot listener a client comes to is decided by the rules of brood nft.
	byRules := l.Mode == listener.PerSlot && t.Public != 0 && l.Steer != listener.CPU
	if t.Steer != "" && !l.Steerable() && !byRules {
		r.bad(under(table, "steer"), "", "listener %s: steer is for sharded TCP, and random or client-ip for a per-slot listener with a public port", l.Name)
	}
	switch {
	case t.Public == 0:
	case t.Public > 65535:
		r.bad(under(table, "public"), "", "cannot read %s %d: a port is from 1 to 65535", r.name(under(table, "public")), t.Public)
	case network != "tcp" && network != "udp":
		r.bad(under(table, "public"), "", "listener %s: a public port is for TCP and UDP, and the address is %s", l.Name, l.Address)
	case t.Public == l.Address.Port:
		r.bad(under(table, "public"), "leave it out", "listener %s has port %d already", l.Name, t.Public)
	}
}

// blame is the key that Validate of a listener complains about.
func blame(l listener.Config) string {
	network := l.Address.Network
	switch {
	case l.QueueAware && (!l.Steerable() || l.Steer == listener.ClientIP):
		return "queue_aware"
	case l.Mode == listener.PerSlot && l.Address.Port == 0 && (network == "tcp" || network == "udp"):
		return "address"
	case network == "unix" && (l.Mode == listener.Sharded || l.Mode == listener.PerSlot), network == "systemd" && l.Mode == listener.PerSlot:
		return "mode"
	case network != "unix" && l.Perm != 0:
		return "perm"
	case network != "unix" && l.Owner+l.Group != "":
		return "owner"
	}
	return "backlog"
}

func parsePerm(word string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(word, 8, 32)
	if err != nil || n == 0 || n > 0o777 {
		return 0, errOctal
	}
	return fs.FileMode(n), nil
}

// parseOwner reads USER, USER:GROUP or :GROUP.
func (r *resolver) parseOwner(word string) (user, group string, err error) {
	user, group, both := strings.Cut(word, ":")
	if user == "" && group == "" || both && group == "" {
		return "", "", errOwner
	}
	return user, group, r.lookup(user, group)
}

// lookup asks for users and groups that are no templates.
func (r *resolver) lookup(user, group string) error {
	if r.world.LookupUser == nil || strings.Contains(user+group, "{{") {
		return nil
	}
	return r.world.LookupUser(user, group)
}
