package machine

import "slices"

// derive compares the state with the one before the step and adds what follows from the difference alone: whom to
// steer to, and which queues are to be relayed because nobody will come for them.
func (s *stepper) derive(before *State) {
	s.Owed = slices.DeleteFunc(s.Owed, func(ref Ref) bool {
		w, ok := s.Worker(ref)
		return !ok || w.Health != Starting
	})
	if len(s.Owed) == 0 {
		s.Owed = nil
	}
	if s.Phase != Serving {
		return
	}
	var first []Action
	for i := range max(len(s.Slots), len(before.Slots)) {
		for side := A; side <= B; side++ {
			was, is := before.keeps(i, side), s.keeps(i, side)
			place := Place{Slot: i, Side: side}
			switch {
			case is && !was:
				first = append(first, Adopt{Place: place})
			case was && !is:
				s.act(Abandon{Place: place})
			}
		}
	}
	if now := s.members(); len(now) > 0 && !slices.Equal(now, before.members()) {
		first = append(first, Steer{Members: now})
	}
	// In front, because a worker is to be steered away from before it is told to leave.
	s.acts = append(first, s.acts...)
}

// members lists the places that new connections may go to.
func (s *State) members() []Place {
	var members []Place
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			if s.Slots[i].Workers[side].Health == Ready {
				members = append(members, Place{Slot: i, Side: side})
			}
		}
	}
	return members
}

// keeps reports whether somebody serves what waits at a place, or will: a worker that is not leaving, or, at the home
// side of a wanted slot, the next one.
func (s *State) keeps(slot int, side Side) bool {
	if slot >= len(s.Slots) {
		return false
	}
	h := s.Slots[slot].Workers[side].Health
	return h.Active() || h == Settling || (slot < s.Spec.Workers && s.Slots[slot].Home == side)
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
	side, ok := slot.find(func(w Worker) bool { return w.Health.Active() })
	switch {
	case !ok:
		return RestartWhen, Timer{}
	case slot.Workers[side].Health == Waiting:
		return RestartLater, Timer{Kind: BackoffTimer, Ref: s.ref(dead.Slot, side)}
	case slot.Workers[side].Health == Ready:
		return Succeeded, Timer{}
	default:
		return RestartNow, Timer{}
	}
}
