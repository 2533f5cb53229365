package machine

import "slices"

// derive compares the state with the one before the step and adds what follows from the difference alone: whom to
// steer to, and which queues are to be relayed because nobody will come for them.
func (s *stepper) derive(before *State) {
	if s.Phase != Serving {
		return
	}
	s.payOwed()
	vacant := s.vacate(before)
	var first []Action
	changed, ready := false, 0
	served, serves := before.anyServes(), s.anyServes()
	for i := range max(len(s.Slots), len(before.Slots)) {
		for side := A; side <= B; side++ {
			switch was, is := before.keeps(i, side), s.keeps(i, side); {
			case is && !was:
				first = append(first, Adopt{Place: Place{Slot: i, Side: side}})
			case was && !is:
				s.act(Abandon{Place: Place{Slot: i, Side: side}})
			}
			takes := s.takes(i, side, serves)
			changed = changed || takes != before.takes(i, side, served)
			if takes {
				ready++
			}
		}
	}
	switch {
	case len(vacant) > 0:
		first = append(first, Steer{Members: vacant})
	case changed && ready > 0:
		first = append(first, Steer{Members: s.members(ready, serves)})
	}
	// In front, because a worker is to be steered away from before it is told to leave.
	s.acts = append(first, s.acts...)
}

// payOwed relays the reload to workers that were starting when it was asked for. It comes at the end of a step, because
// a worker that became ready may have been taken out of service in the same step.
func (s *stepper) payOwed() {
	starting := s.Owed[:0]
	for _, ref := range s.Owed {
		switch w, ok := s.Worker(ref); {
		case !ok:
		case w.Health == Starting:
			starting = append(starting, ref)
		case w.Health.Up():
			s.act(Relay{Ref: ref, Purpose: ForReload})
		}
	}
	s.Owed = starting
}

// members lists the places that new connections may go to.
func (s *State) members(ready int, serves bool) []Place {
	members := make([]Place, 0, ready)
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			if s.takes(i, side, serves) {
				members = append(members, Place{Slot: i, Side: side})
			}
		}
	}
	return members
}

// anyServes reports whether somebody is in service.
func (s *State) anyServes() bool {
	return slices.ContainsFunc(s.Slots, func(slot Slot) bool { return slot.serves() })
}

// takes reports whether new connections may go to a place: those in service take them, or, if there are none, all that are
// up. What all of them are unready for may lie outside, and then the last one is not to get everything.
func (s *State) takes(slot int, side Side, anyServes bool) bool {
	if slot >= len(s.Slots) {
		return false
	}
	h := s.Slots[slot].Workers[side].Health
	return h.Serves() || !anyServes && h.Up()
}

// keeps reports whether somebody serves what waits at a place, or will: a worker that is not leaving, or, at the home
// side of a wanted slot, the next one.
func (s *State) keeps(slot int, side Side) bool {
	if slot >= len(s.Slots) {
		return false
	}
	h := s.Slots[slot].Workers[side].Health
	next := slot < s.Spec.Workers && s.Slots[slot].Home == side && !s.Slots[slot].over() && !s.StandsBy(slot)
	return h.Active() || h == Settling || next
}

// bury says what follows each death of this step.
func (s *stepper) bury() {
	for _, ref := range s.dead {
		next, timer := s.whatNext(ref)
		o := Obituary{Ref: ref, Next: next}
		if next == RestartLater {
			for _, a := range s.acts {
				if set, ok := a.(SetTimer); ok && set.Timer == timer {
					o.After = set.After
				}
			}
		}
		s.act(o)
	}
}

func (s *stepper) whatNext(dead Ref) (Next, Timer) {
	if s.Phase != Serving || dead.Slot >= s.Spec.Workers {
		return NotRestarted, Timer{}
	}
	slot := &s.Slots[dead.Slot]
	if slot.over() {
		return NotRestarted, Timer{}
	}
	side, ok := slot.find(func(w Worker) bool { return w.Health.Active() })
	switch {
	case !ok:
		return RestartWhen, Timer{}
	case slot.Workers[side].Health == Waiting:
		return RestartLater, Timer{Kind: BackoffTimer, Ref: s.ref(dead.Slot, side)}
	case slot.Workers[side].Health.Serves():
		return Succeeded, Timer{}
	default:
		return RestartNow, Timer{}
	}
}
