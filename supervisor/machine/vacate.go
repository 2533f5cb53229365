package machine

// vacate moves the home of a slot whose worker was the last one to take connections, and has been steered away from, to
// the place across, and returns those places. What comes waits there for the successor: nobody accepts it
// only to be told to leave.
func (s *stepper) vacate(before *State) []Place {
	if s.anyUp() {
		return nil
	}
	served := before.anyServes()
	var vacant []Place
	for i := range min(s.Spec.Workers, len(before.Slots)) {
		slot := &s.Slots[i]
		side := slot.Home
		if !before.takes(i, side, served) || slot.Workers[side].Health != Settling ||
			slot.Workers[side.Other()].Health != Free || slot.over() {
			continue
		}
		slot.Home = side.Other()
		vacant = append(vacant, Place{Slot: i, Side: slot.Home})
	}
	return vacant
}

func (s *State) anyUp() bool { return s.count(Health.Up) > 0 }
