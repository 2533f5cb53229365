package machine

// roll asks for a new generation. While one is on its way, the next is queued; several requests share it.
func (s *stepper) roll() {
	switch {
	case s.Phase != Serving:
	case s.Rollout.Phase == Rolling:
		s.Rollout.Queued = s.Rollout.Target + 1
	default:
		s.begin()
	}
}

func (s *stepper) begin() {
	s.Rollout = Rollout{Phase: Rolling, Target: s.Rollout.Target + 1}
	s.act(RolloutStarted{Target: s.Rollout.Target})
}

// abort ends a rollout that failed. The way back is an ordinary replacement by the previous generation: workers that
// are only steered away from are reinstated, and those that are gone are started again.
func (s *stepper) abort(cause RolloutCause, ref Ref) {
	s.act(RolloutEnded{Target: s.Rollout.Target, Cause: cause, Ref: ref})
	s.Rollout.Phase = Reverting
	for i := range s.Slots {
		s.Slots[i].assign(s.Generation)
	}
	s.dropFailing()
}

// dropFailing lets go of the failed generation's workers that are not ready: they take room and serve nobody.
func (s *stepper) dropFailing() {
	for i := range s.Spec.Workers {
		for side := A; side <= B; side++ {
			if w := s.Slots[i].Workers[side]; w.Health == Starting && w.Generation == s.Rollout.Target {
				s.terminate(s.ref(i, side), WhyAborted)
			}
		}
	}
}

// rollout takes the next step of a rollout, and reports whether that calls for another round.
func (s *stepper) rollout() bool {
	switch s.Rollout.Phase {
	case Rolling:
		if s.through(s.Rollout.Target) {
			s.finish()
			return true
		}
		return s.turn()
	case Reverting:
		if s.Rollout.Queued != 0 {
			s.begin()
			return true
		}
		if s.through(s.Generation) {
			s.Rollout.Phase = NoRollout
		}
	case NoRollout:
	}
	return false
}

func (s *stepper) finish() {
	target, queued := s.Rollout.Target, s.Rollout.Queued
	s.Generation = target
	s.Rollout = Rollout{Target: target}
	s.act(RolloutEnded{Target: target, Cause: RolledOut})
	if queued != 0 {
		s.begin()
	}
}

// through reports whether every wanted slot is served by this generation and by nothing else.
func (s *stepper) through(generation uint64) bool {
	for i := range s.Spec.Workers {
		if !s.Slots[i].settledOn(generation) {
			return false
		}
	}
	return true
}

func (s *Slot) settledOn(generation uint64) bool {
	ready := false
	for _, w := range s.Workers {
		switch {
		case w.Health == Free:
		case w.Generation != generation:
			return false
		case w.Health == Ready:
			ready = true
		}
	}
	return ready && s.Generation == generation
}

// turn gives the next slots their turn. Slots without a living worker go first and need no room: whatever the target
// is, it cannot make them worse, and a broken slot must not hold up the rollout that repairs it.
func (s *stepper) turn() bool {
	turned := false
	underway := 0
	for i := range s.Spec.Workers {
		slot := &s.Slots[i]
		if _, alive := slot.find(func(w Worker) bool { return w.Health == Starting || w.Health == Ready }); !alive {
			turned = s.giveTurn(slot) || turned
		}
		if slot.Generation == s.Rollout.Target && !slot.settledOn(s.Rollout.Target) {
			underway++
		}
	}
	limit := s.Spec.MaxSurge
	if s.Spec.Order == StopFirst {
		limit = s.Spec.MaxUnavailable
	}
	if !turned && underway < limit {
		if slot := s.nextTurn(); slot != nil {
			turned = s.giveTurn(slot)
		}
	}
	return turned
}

// nextTurn is the first slot whose turn can begin right away: there is room for a successor beside the incumbent, or
// the incumbent can be spared.
func (s *stepper) nextTurn() *Slot {
	s.recount()
	beside, spare := s.census().occupied < s.limit(), s.spares(s.Ready())
	for i := range s.Spec.Workers {
		switch slot := &s.Slots[i]; {
		case slot.Generation == s.Rollout.Target:
		case s.Spec.Order == StopFirst && (spare || !slot.serves()):
			return slot
		case s.Spec.Order == StartFirst && beside && slot.hasFreeSide():
			return slot
		}
	}
	return nil
}

func (s *stepper) giveTurn(slot *Slot) bool {
	if slot.Generation == s.Rollout.Target {
		return false
	}
	slot.assign(s.Rollout.Target)
	return true
}
