package machine

// becameUnready takes a worker out of service that is to be kept. A rollout, or a recycling, that depends on it has failed.
func (s *stepper) becameUnready(ref Ref) {
	switch w, ok := s.Worker(ref); {
	case !ok:
	case w.Health == Failing:
		s.move(ref, Unready)
	case w.Health.Serves():
		s.move(ref, Unready)
		s.unfit(ref, w)
	}
}

// fails takes a worker out of service that does not work; repair replaces it. One that starts is given up.
func (s *stepper) fails(e Failed) {
	w, ok := s.Worker(e.Ref)
	switch {
	case !ok:
	case w.Health == Starting:
		s.terminate(e.Ref, WhyNeverReady)
		s.failed(e.Ref, w, SuccessorLate)
	case w.Health.Serves() || w.Health == Unready:
		if slot := &s.Slots[e.Ref.Slot]; e.Age >= s.Spec.Backoff.StableAfter && w.Generation == slot.Generation {
			slot.Failures = 0
		}
		s.move(e.Ref, Failing)
		s.unfit(e.Ref, w)
	}
}

// unfit ends what depends on a worker that is not in service any more: the rollout at hand, or the recycling of the other
// worker of its slot, which stays instead.
func (s *stepper) unfit(ref Ref, w Worker) {
	if s.isSuccessor(ref, w) {
		s.abort(SuccessorUnfit, ref)
		return
	}
	if s.dropRecycling(ref) {
		s.retire(ref)
	}
}

// repair replaces workers that do not work, as many at once as the pool can do without, and one at least. The others are
// left as they are: if what makes them fail lies outside, no restart cures it, and some of them may still answer. Only
// slots that repairs have emptied count: one that crashes again and again must not keep the others from being repaired.
func (s *stepper) repair() {
	missing := 0
	for i := range s.Spec.Workers {
		if slot := &s.Slots[i]; slot.Repairing && !slot.isUp() && !slot.over() && !s.StandsBy(i) {
			missing++
		}
	}
	for i := range s.Spec.Workers {
		for side := A; side <= B; side++ {
			slot := &s.Slots[i]
			if slot.Workers[side].Health != Failing {
				continue
			}
			if !slot.Workers[side.Other()].Health.Up() {
				if missing >= max(1, s.Spec.Unavailable()) {
					continue
				}
				missing++
				slot.Repairing = true
			}
			s.trace(s.ref(i, side))
			if s.Phase != Serving {
				return // it was the last failure that was allowed
			}
		}
	}
}

// trace ends a worker that does not work, after it had the time to say where it hangs, and charges the failure.
func (s *stepper) trace(ref Ref) {
	w, _ := s.Worker(ref)
	if s.Spec.Trace > 0 {
		s.move(ref, Tracing)
		s.act(Trace{Ref: ref})
	} else {
		s.move(ref, Reaping)
		s.act(Kill{Ref: ref})
	}
	s.failed(ref, w, SuccessorUnfit)
}
