package listener

import "slices"

// request is a config with the inherited sockets that are its own.
type request struct {
	cfg    Config
	passed []passed
}

// assign decides which config gets which inherited socket, and makes up configs for those that none names.
func assign(cfgs []Config, inherited []Inherited) ([]request, error) {
	var left []passed
	for _, in := range inherited {
		p, err := examine(in)
		if err != nil {
			cfg := Config{Name: in.Name, Address: Address{Network: networkSystemd, Name: in.Name}}
			return nil, openError(cfg, endpoint{}, "take", err)
		}
		left = append(left, p)
	}
	var all []request
	for _, cfg := range cfgs {
		if err := cfg.Validate(); err != nil {
			return nil, openError(cfg, endpoint{}, "open", err)
		}
		r := request{cfg: cfg}
		r.passed, left = split(left, r.claims)
		all = append(all, r)
	}
	for len(left) > 0 {
		r := request{cfg: Config{Name: left[0].Name, Address: Address{Network: networkSystemd, Name: left[0].Name}}}
		r.passed, left = split(left, r.claims)
		all = append(all, r)
	}
	return all, check(all)
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
		if r.cfg.Address.Network != networkSystemd && len(r.passed) == 0 {
			continue
		}
		if len(r.passed) == 0 {
			return fail(errNotGiven)
		}
		if slices.ContainsFunc(r.passed, func(p passed) bool { return p.at != r.passed[0].at }) {
			return fail(errAddresses)
		}
		if err := r.checkMode(); err != nil {
			return fail(err)
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
