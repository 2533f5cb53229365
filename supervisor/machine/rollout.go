package machine

// roll asks for a new generation. While one is on its way, the next is queued; several requests share it.
func (s *stepper) roll() {
	if s.Phase == Serving {
		s.Rollout.Queued = s.Rollout.Target + 1
		s.beginQueued()
	}
}

// begin starts a rollout that also makes a specification the one in force. Slots where nobody is alive, as those that the
// specification adds, do not start anything else first.
func (s *stepper) begin(spec Spec) {
	s.Rollout = Rollout{Phase: Rolling, Target: s.Rollout.Target + 1, Before: s.Spec}
	s.act(RolloutStarted{Target: s.Rollout.Target})
	s.put(spec)
	s.turnBroken()
}

// next goes on with the rollout that is queued, if one is.
func (s *stepper) next(queued uint64, after Spec) {
	s.Rollout.Queued, s.Rollout.After = queued, after
	s.beginQueued()
}

// abort ends a rollout that failed. The way back is an ordinary replacement by the previous generation, and by as many of
// it as there were: workers that are only steered away from are reinstated, and those that are gone are started again.
func (s *stepper) abort(cause RolloutCause, ref Ref) {
	failed := s.Rollout
	s.act(RolloutEnded{Target: failed.Target, Cause: cause, Ref: ref})
	s.endTurn()
	s.Rollout = Rollout{Phase: Reverting, Target: failed.Target}
	s.put(failed.Before)
	for i := range s.Slots {
		s.Slots[i].assign(s.Generation)
	}
	s.dropStarting()
	s.next(failed.Queued, failed.After)
}

// cancel ends a rollout because somebody says so, and the one that is queued with it.
func (s *stepper) cancel() {
	queued := s.Rollout.Queued
	if s.Rollout.Phase == Rolling {
		s.Rollout.Queued, s.Rollout.After = 0, Spec{}
		s.abort(Aborted, Ref{})
	}
	s.dropQueued(queued, Aborted)
}

// dropStarting lets go of the failed generation's workers that are not ready: they take room and serve nobody.
func (s *stepper) dropStarting() {
	for i := range s.Slots {
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
		if s.isBack() {
			s.Rollout.Phase = NoRollout
		}
	case NoRollout:
	}
	return false
}

func (s *stepper) finish() {
	done := s.Rollout
	s.Generation = done.Target
	s.Rollout = Rollout{Target: done.Target}
	s.act(RolloutEnded{Target: done.Target, Cause: RolledOut})
	s.endTurn()
	s.next(done.Queued, done.After)
}

// through reports whether every wanted slot is served by this generation, or has done its work, and by nothing else.
func (s *stepper) through(generation uint64) bool {
	for i := range s.Spec.Workers {
		if !s.Slots[i].settledOn(generation) && !s.waitsOn(i, generation) {
			return false
		}
	}
	return true
}

// isBack reports whether nobody of a failed rollout is left in a wanted slot, and somebody of the pool's generation is up in
// each, if not in service: nobody knows when that will be.
func (s *stepper) isBack() bool {
	for i := range s.Spec.Workers {
		slot := &s.Slots[i]
		others := func(w Worker) bool { return w.Health != Free && w.Generation != s.Generation }
		if _, ok := slot.find(others); ok || !slot.isUp() && !slot.hasFinished() && !s.StandsBy(i) {
			return false
		}
	}
	return true
}

// waitsOn reports whether the next worker of a slot that stands by will be of this generation.
func (s *State) waitsOn(slot int, generation uint64) bool {
	return s.StandsBy(slot) && s.Slots[slot].Generation == generation
}

func (s *Slot) settledOn(generation uint64) bool {
	settled := false
	for _, w := range s.Workers {
		switch {
		case w.Health == Free:
		case w.Generation != generation:
			return false
		case w.Health == Ready || w.Health == Finished:
			settled = true
		}
	}
	return settled && s.Generation == generation
}

// turn gives the next slots their turn.
func (s *stepper) turn() bool {
	if !s.mayTurn() {
		return false
	}
	if s.turnBroken() {
		return true
	}
	underway := 0
	for i := range s.Spec.Workers {
		if slot := &s.Slots[i]; slot.Generation == s.Rollout.Target && !slot.settledOn(s.Rollout.Target) && !s.StandsBy(i) {
			underway++
		}
	}
	if underway >= s.atOnce() {
		return false
	}
	slot := s.nextTurn()
	return slot != nil && s.giveTurn(slot)
}

// atOnce is how many slots with living workers may be at their turn.
func (s *State) atOnce() int {
	switch {
	case s.awaitsCanary():
		return 1
	case s.Spec.Order == StopFirst:
		return s.Spec.Unavailable()
	default:
		return s.Spec.Surge()
	}
}

// turnBroken gives slots without a living worker their turn. They go first and need no room: whatever the target is, it
// cannot make them worse, and a broken slot must not hold up the rollout that repairs it.
func (s *stepper) turnBroken() bool {
	turned := false
	tried := s.isTried()
	for i := 0; i < s.Spec.Workers && !tried; i++ {
		if slot := &s.Slots[i]; !slot.isAlive() && s.mayTry(i) && s.giveTurn(slot) {
			turned, tried = true, s.isTried()
		}
	}
	return turned
}

// nextTurn is the first slot whose turn can begin right away: there is room for a successor beside the incumbent, or one
// whom nobody misses can make it, or the incumbent can be spared. Those whose workers are unready come first.
func (s *stepper) nextTurn() *Slot {
	s.recount()
	beside, available := s.census().occupied < s.limit(), s.available()
	spare, unfitSpare := s.spares(available), s.spares(available+s.unfitSlots())
	var next *Slot
	for i := range s.Spec.Workers {
		slot := &s.Slots[i]
		can := beside && slot.hasFreeSide() || slot.isOvermanned()
		if s.Spec.orderAt(i) == StopFirst {
			can = spare || !slot.isUp() || !slot.serves() && unfitSpare
		}
		switch {
		case !can || slot.Generation == s.Rollout.Target || !s.mayTry(i):
		case slot.isUnfit():
			return slot
		case next == nil:
			next = slot
		}
	}
	return next
}

// mayTry reports whether a slot may have its turn now, as far as canaries go. One that stands by can be none, and nobody
// knows when its worker comes, so there its turn is the last.
func (s *stepper) mayTry(slot int) bool {
	if !s.awaitsCanary() || !s.StandsBy(slot) {
		return true
	}
	for i := range s.Spec.Workers {
		if i != slot && s.Slots[i].Generation != s.Rollout.Target {
			return false
		}
	}
	return true
}

func (s *stepper) giveTurn(slot *Slot) bool {
	if slot.Generation == s.Rollout.Target {
		return false
	}
	slot.assign(s.Rollout.Target)
	return true
}
