package machine

import "time"

// proof is how long a worker that became ready has to prove itself before its rollout counts on it. Until one of them
// has, each is the canary.
func (s *stepper) proof(w Worker) time.Duration {
	switch {
	case s.Rollout.Phase != Rolling || w.Generation != s.Rollout.Target:
		return 0
	case s.Rollout.Proven:
		return s.Spec.MinReady
	default:
		return max(s.Spec.Canary, s.Spec.MinReady)
	}
}

// proved makes a worker ready that has nothing, or nothing more, to prove.
func (s *stepper) proved(ref Ref) {
	s.move(ref, Ready)
	if w, _ := s.Worker(ref); s.isSuccessor(ref, w) {
		s.Rollout.Proven = true
	}
}

// awaitsCanary reports whether one slot is to try the target for all.
func (s *State) awaitsCanary() bool { return s.Spec.Canary > 0 && !s.Rollout.Proven }

// isTried reports whether broken slots wait for the canary of another slot. One that has had its turn, and cannot use it
// yet because its incumbent must stay until a broken one is repaired, is not what they wait for.
func (s *stepper) isTried() bool {
	if !s.awaitsCanary() {
		return false
	}
	for i := range s.Spec.Workers {
		slot := &s.Slots[i]
		if slot.Generation != s.Rollout.Target || s.StandsBy(i) {
			continue
		}
		_, tries := slot.find(func(w Worker) bool { return w.Health.Active() && w.Generation == s.Rollout.Target })
		if tries || !slot.isAlive() {
			return true
		}
	}
	return false
}
