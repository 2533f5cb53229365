package machine

import "slices"

// recycleDue notes that a worker is to be replaced when there is time for it.
func (s *stepper) recycleDue(ref Ref) {
	w, ok := s.Worker(ref)
	due := ok && s.Phase == Serving && (w.Health == Starting || w.Health.Up() || w.Health == Settling)
	if due && !s.Slots[ref.Slot].outdates(w) && !slices.Contains(s.Due, ref) {
		s.Due = append(s.Due, ref)
	}
}

// outdates reports whether a worker is being recycled.
func (s *Slot) outdates(w Worker) bool { return s.Outdated != 0 && w.Inc == s.Outdated }

// isRecycled reports whether a worker of the generation that the slot is to run is being recycled.
func (s *Slot) isRecycled(side Side) bool {
	w := s.Workers[side]
	return s.outdates(w) && w.Generation == s.Generation
}

// recycle begins the next recycling, and reports whether it did: one at a time, with a gap between, and never in a rollout,
// which replaces everybody anyway.
func (s *stepper) recycle() bool {
	s.Due = slices.DeleteFunc(s.Due, func(ref Ref) bool {
		w, ok := s.Worker(ref)
		return !ok || !w.Health.HasProcess() || w.Health > Settling
	})
	if len(s.Due) == 0 || s.Rollout.Phase != NoRollout || s.Resting != (Ref{}) || s.recycles() {
		return false
	}
	n := slices.IndexFunc(s.Due, func(ref Ref) bool {
		w, _ := s.Worker(ref)
		fit := w.Health == Ready || w.Health == Unready
		return fit && ref.Slot < s.Spec.Workers && w.Generation == s.Slots[ref.Slot].Generation
	})
	if n < 0 {
		return false
	}
	s.Slots[s.Due[n].Slot].Outdated = s.Due[n].Inc
	s.Due = slices.Delete(s.Due, n, n+1)
	return true
}

func (s *State) recycles() bool {
	return slices.ContainsFunc(s.Slots, func(slot Slot) bool { return slot.Outdated != 0 })
}

// recycled ends a recycling: its worker is gone, or is to stay. The gap to the next one begins.
func (s *stepper) recycled(ref Ref) {
	s.Slots[ref.Slot].Outdated = 0
	if s.Phase == Serving && s.Spec.RecycleGap > 0 {
		s.Resting = ref
		s.act(SetTimer{Timer: Timer{Kind: RecycleTimer, Ref: ref}, After: s.Spec.RecycleGap})
	}
}

func (s *stepper) rested(ref Ref) {
	if s.Resting == ref {
		s.Resting = Ref{}
	}
}

// dropRecycling keeps the worker that a failed successor was to replace, for now, and reports whether there was one.
func (s *stepper) dropRecycling(successor Ref) bool {
	slot := &s.Slots[successor.Slot]
	incumbent := s.ref(successor.Slot, successor.Side.Other())
	w := slot.Workers[incumbent.Side]
	if !slot.outdates(w) || !w.Health.Active() {
		return false
	}
	s.recycled(incumbent)
	s.Due = append(s.Due, incumbent)
	return true
}

// postpones takes back the recycling of a slot if its successor is still to be started and there is a rollout, and reports
// whether it did.
func (s *stepper) postpones(i int) bool {
	slot := &s.Slots[i]
	side, ok := slot.find(func(w Worker) bool {
		return slot.outdates(w) && w.Health.Active() && w.Generation == slot.Generation
	})
	if !ok || s.Rollout.Phase == NoRollout {
		return false
	}
	slot.Outdated = 0
	s.Due = append(s.Due, s.ref(i, side))
	return true
}

func (s *stepper) endRecycling() {
	if s.Resting != (Ref{}) {
		s.act(StopTimer{Timer: Timer{Kind: RecycleTimer, Ref: s.Resting}})
	}
	s.Due, s.Resting = nil, Ref{}
}
