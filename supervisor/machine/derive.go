package machine

// derive compares the state with the one before the step and adds what follows from the difference alone: whom to
// steer to, and which queues are to be relayed because nobody will come for them.
func (s *stepper) derive(before *State) {
	if s.Phase != Serving {
		return
	}
	s.payOwed()
	var first []Action
	changed, ready := false, 0
	for i := range max(len(s.Slots), len(before.Slots)) {
		for side := A; side <= B; side++ {
			switch was, is := before.keeps(i, side), s.keeps(i, side); {
			case is && !was:
				first = append(first, Adopt{Place: Place{Slot: i, Side: side}})
			case was && !is:
				s.act(Abandon{Place: Place{Slot: i, Side: side}})
			}
			serves := s.serves(i, side)
			changed = changed || serves != before.serves(i, side)
			if serves {
				ready++
			}
		}
	}
	if changed && ready > 0 {
		first = append(first, Steer{Members: s.members(ready)})
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
		case w.Health.Serves():
			s.act(Relay{Ref: ref, Purpose: ForReload})
		}
	}
	s.Owed = starting
}

// members lists the places in service, which are the ones that new connections may go to.
func (s *State) members(ready int) []Place {
	members := make([]Place, 0, ready)
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			if s.serves(i, side) {
				members = append(members, Place{Slot: i, Side: side})
			}
		}
	}
	return members
}

// serves reports whether the worker at a place is in service.
func (s *State) serves(slot int, side Side) bool {
	return slot < len(s.Slots) && s.Slots[slot].Workers[side].Health.Serves()
}

// keeps reports whether somebody serves what waits at a place, or will: a worker that is not leaving, or, at the home
// side of a wanted slot, the next one.
func (s *State) keeps(slot int, side Side) bool {
	if slot >= len(s.Slots) {
		return false
	}
	h := s.Slots[slot].Workers[side].Health
	next := slot < s.Spec.Workers && s.Slots[slot].Home == side && !s.Slots[slot].over()
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
