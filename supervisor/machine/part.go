package machine

import "time"

// part has connections wait where nobody is, for the workers of a pool to come, and tells ours to leave when what they
// accepted has been read. Where all places are taken they serve to the end.
func (s *stepper) part(settle time.Duration) {
	s.Parting = Stays
	if vacant := s.vacant(); len(vacant) > 0 {
		s.Parting = Parted
		s.act(Steer{Members: vacant})
	}
	for _, ref := range s.refs(func(h Health) bool { return h.Up() || h == Settling }) {
		if s.Parting == Parted && settle > 0 {
			s.move(ref, Settling)
			continue
		}
		s.terminate(ref, WhyStopping)
	}
}

// vacant lists a place without a process for each wanted slot that has one.
func (s *State) vacant() []Place {
	var vacant []Place
	for i := range min(s.Spec.Workers, len(s.Slots)) {
		slot := &s.Slots[i]
		for _, side := range [...]Side{slot.Home, slot.Home.Other()} {
			if !slot.Workers[side].Health.HasProcess() {
				vacant = append(vacant, Place{Slot: i, Side: side})
				break
			}
		}
	}
	return vacant
}

// adoptAll takes back all places that were abandoned: what waits there is served by those to come, and what is relayed
// now would end with us.
func (s *stepper) adoptAll() {
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			if !s.keeps(i, side) {
				s.act(Adopt{Place: Place{Slot: i, Side: side}})
			}
		}
	}
}
