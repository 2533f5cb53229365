package listener

import (
	"fmt"
	"slices"
)

// request is a wanted listener with the inherited sockets that are its own.
type request struct {
	cfg    Config
	slots  int
	passed []passed
	handed *Listener // it is open already, see Restore
}

// assign decides which want gets which of the spare sockets, and returns what is left of those.
func assign(wants []Want, spare []passed, handed []*Listener) (all []request, left []passed, err error) {
	left = spare
	matched := match(wants, handed)
	for i, w := range wants {
		if err := w.Config.Validate(); err != nil {
			return nil, nil, openError(w.Config, endpoint{}, "open", err)
		}
		r := request{cfg: w.Config, slots: w.Slots, handed: matched[i]}
		if r.handed == nil {
			r.passed, left = split(left, r.claims)
		}
		all = append(all, r)
	}
	if err := check(all); err != nil {
		return nil, nil, err
	}
	return all, left, checkLeft(all, left)
}

// claims tells whether an inherited socket is what the config means.
func (r request) claims(p passed) bool {
	switch a := r.cfg.Address; a.Network {
	case networkSystemd:
		return p.Name == a.Name
	case networkUnix:
		return p.at.Network == networkUnix && p.at.Path == a.Path
	default:
		if r.cfg.Mode == PerSlot {
			return false
		}
		e, err := endpointOf(a)
		return err == nil && a.Port != 0 && p.at.isIP() && e.same(p.endpoint)
	}
}

func split(all []passed, take func(passed) bool) (taken, left []passed) {
	for _, p := range all {
		if take(p) {
			taken = append(taken, p)
			continue
		}
		left = append(left, p)
	}
	return taken, left
}

func check(all []request) error {
	seen := map[string]bool{}
	for _, r := range all {
		fail := func(err error) error { return openError(r.cfg, endpoint{}, "open", err) }
		if seen[r.cfg.Name] {
			return fail(errDuplicate)
		}
		seen[r.cfg.Name] = true
		if r.handed != nil {
			continue
		}
		if r.cfg.Address.Network != networkSystemd && len(r.passed) == 0 {
			continue
		}
		if len(r.passed) == 0 {
			return fail(errNotGiven)
		}
		if err := r.checkMode(); err != nil {
			return fail(err)
		}
	}
	return nil
}

// checkLeft refuses a name of which a part would be left: connections would wait there for nobody.
func checkLeft(all []request, left []passed) error {
	for _, r := range all {
		a := r.cfg.Address
		for _, p := range left {
			if a.Network == networkSystemd && p.given == a.Name && p.Name != p.given {
				return openError(r.cfg, endpoint{}, "open", fmt.Errorf("%w: %s is %s", errAddresses, p.Name, p.at))
			}
		}
	}
	return nil
}

func (r request) checkMode() error {
	groupable := !slices.ContainsFunc(r.passed, func(p passed) bool { return !p.groupable })
	switch {
	case r.cfg.Mode == Sharded && !groupable:
		return errNoReusePort
	case len(r.passed) > 1 && (!groupable || r.cfg.Mode == Shared):
		return errSeveral
	}
	return nil
}

// mode is the mode to try.
func (r request) mode() Mode {
	switch {
	case r.cfg.Mode != Auto:
		return r.cfg.Mode
	case len(r.passed) > 0 && !r.passed[0].groupable:
		return Shared
	case len(r.passed) == 0 && r.cfg.Address.Network == networkUnix:
		return Shared
	}
	return Sharded
}

func (r request) datagram() bool {
	if len(r.passed) > 0 {
		return r.passed[0].at.Network == networkUDP
	}
	return r.cfg.Address.Network == networkUDP
}
