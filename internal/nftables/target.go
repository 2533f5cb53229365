package nftables

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
)

// target is one listener with what its rules need.
type target struct {
	name    string
	proto   string     // tcp or udp
	ip      netip.Addr // what it listens on alone; invalid if it is all addresses
	family  int        // 4 or 6 if all addresses of that version; 0 if all of both
	port    int
	public  int
	slots   int   // 1 if all workers have one port, else how many follow from port on
	serving []int // slots that take connections; none is all
	sticky  bool
	redir   string // name of the map from turns to ports, "" if there is none
}

// targetsOf finds the listeners that are to be led to, those of one address first: the first rule that fits counts.
// Listeners that systemd opens are left out, because their unit opens the public port itself.
func targetsOf(cfg *config.Config, now map[string]Turns) ([]target, error) {
	var all []target
	asked := false
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		asked = asked || l.Public != 0
		if l.Public == 0 || l.Address.Network == "systemd" {
			continue
		}
		t, err := newTarget(l, turnsOf(cfg, l, now))
		if err != nil {
			return nil, err
		}
		if t.slots < 2 && t.port == t.public {
			continue // clients come to the right port as it is
		}
		for _, o := range all {
			if o.match() == t.match() {
				return nil, errTwice(o.name, t.name, t.public)
			}
		}
		all = append(all, t)
	}
	switch {
	case len(all) > 0:
	case asked:
		return nil, errNeedless()
	default:
		return nil, errNone()
	}
	slices.SortStableFunc(all, func(a, b target) int { return cmp.Compare(a.breadth(), b.breadth()) })
	nameMaps(all)
	return all, nil
}

func newTarget(l *config.Listener, turns Turns) (target, error) {
	a := l.Address
	t := target{name: l.Name, proto: a.Network, family: a.Family, port: a.Port, public: l.Public, slots: 1}
	switch {
	case a.Network == "unix":
		return t, errUnix(l.Name)
	case a.Port == 0:
		return t, errAnyPort(l.Name)
	case a.Host == "localhost":
		return t, errLoopback(l.Name, a.Host)
	}
	if a.Host != "" {
		ip, err := netip.ParseAddr(a.Host)
		switch {
		case err != nil:
			return t, &Error{Listener: l.Name, Problem: err.Error()}
		case ip.IsLoopback():
			return t, errLoopback(l.Name, a.Host)
		case ip.Zone() != "":
			return t, errZone(l.Name, a.Host)
		case ip == netip.IPv4Unspecified():
			t.family = 4
		case !ip.IsUnspecified(): // [::] takes IPv4 as well, unless tcp6: says otherwise
			t.ip = ip
		}
	}
	if l.Mode == listener.PerSlot {
		t.slots, t.serving, t.sticky = turns.Slots, turns.Serving, l.Steer == listener.ClientIP
		if last := t.port + t.slots - 1; last > 65535 {
			return t, errPorts(l.Name, last)
		}
	}
	return t, nil
}

// turnsOf says which slots a per-slot listener has ports for.
func turnsOf(cfg *config.Config, l *config.Listener, now map[string]Turns) Turns {
	if turns, ok := now[l.Name]; ok && turns.Slots > 0 {
		return turns
	}
	n := 1
	for i := range cfg.Pools {
		if slices.Contains(cfg.Pools[i].Listen, l.Name) {
			n = max(n, cfg.Pools[i].MostWorkers())
		}
	}
	return Turns{Slots: n}
}

// breadth puts rules for few packets in front of those for many.
func (t *target) breadth() int {
	switch {
	case t.ip.IsValid():
		return 0
	case t.family != 0:
		return 1
	}
	return 2
}

// nameMaps gives a map to each target whose turns are counted, so that a slot can be taken out by hand. A hash has none:
// nft cannot list a named map with the type of one.
func nameMaps(all []target) {
	taken := map[string]bool{}
	for i := range all {
		t := &all[i]
		if t.slots < 2 || t.sticky {
			continue
		}
		t.redir = "slots_" + identifier(t.name)
		if taken[t.redir] {
			t.redir += "." + strconv.Itoa(i)
		}
		taken[t.redir] = true
	}
}
