package listener

import (
	"errors"
	"slices"
)

// match gives each want the handed listener that it means, if there is one: of the same address and mode, and of several
// (as of port 0) that of its name.
func match(wants []Want, handed []*Listener) []*Listener {
	matched := make([]*Listener, len(wants))
	for _, sameName := range []bool{true, false} {
		for i := range wants {
			cfg := &wants[i].Config
			for _, l := range handed {
				had := l.Config()
				same := had.Address == cfg.Address && had.Mode == cfg.Mode && (had.Name == cfg.Name || !sameName)
				if matched[i] == nil && same && !slices.Contains(matched, l) {
					matched[i] = l
				}
			}
		}
	}
	return matched
}

// Unclaimed are the listeners that came by Restore and that nobody has opened. They are as they were: connections wait in
// them, and what was abandoned is relayed. Whoever has opened all that he wants should Close them.
func (s *Set) Unclaimed() []*Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.handed)
}

// become makes a handed listener what a request wants.
func (l *Listener) become(r request) error {
	before := l.Config()
	if err := l.Adjust(r.cfg); err != nil {
		return err
	}
	if err := l.grow(r.slots); err != nil {
		_ = l.Adjust(before) // it was so before
		return err
	}
	return nil
}

// giveWayLocked closes handed listeners that nobody wants and that have an address, or a socket of the service manager's,
// which somebody wants.
func (s *Set) giveWayLocked(wants []Want) (events []Event, err error) {
	kept := match(wants, s.handed)
	for _, l := range slices.Clone(s.handed) {
		if slices.Contains(kept, l) || !slices.ContainsFunc(wants, l.hinders) {
			continue
		}
		waiting, _ := l.Queued() // those that do not tell are not counted
		s.handed = slices.DeleteFunc(s.handed, func(other *Listener) bool { return other == l })
		err = errors.Join(err, l.close())
		s.spare = append(s.spare, l.passed...)
		events = append(events, Event{Kind: EventDropped, Listener: l.Name(), Slot: -1, Count: waiting})
	}
	return events, err
}

// hinders tells whether the listener is in the way of a want.
func (l *Listener) hinders(w Want) bool {
	a := w.Config.Address
	if slices.ContainsFunc(l.passed, (request{cfg: w.Config}).claims) {
		return true
	}
	if !a.isIP() {
		return a.Network == networkUnix && l.addr.Network == networkUnix && l.addr.Path == a.Path
	}
	e, err := endpointOf(a)
	count := 1
	if w.Config.Mode == PerSlot {
		count = w.Slots
	}
	return err == nil && a.Port != 0 && l.clashes(e, count)
}
