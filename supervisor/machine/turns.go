package machine

import "slices"

// Supervisors that share a rollout's pace take turns: a rollout waits, as one that is queued, until the pool has the claim to
// roll, and gives it back when it has ended. Slots that were given their turn before the claim was lost go on; the others wait
// until it is had again. So does a rollout whose specification comes to need a turn while it is under way. Whatever is no
// rollout needs none: restarts, repairs, recycling, scaling and the way back of a rollout that failed.

// awaitsTurn reports whether a rollout is asked for and has not begun: nothing but a turn is what it can wait for.
func (s *State) awaitsTurn() bool { return s.Rollout.Phase != Rolling && s.Rollout.Queued != 0 }

// AwaitsTurn reports whether there is a rollout that cannot begin, or go on, without a turn.
func (s *State) AwaitsTurn() bool { return s.Asked[ToRoll] > 0 }

// coming is the specification that the queued rollout begins with.
func (s *State) coming() Spec {
	if s.Rollout.After.Workers > 0 {
		return s.Rollout.After
	}
	return s.Spec
}

// needsTurn reports whether the rollout at hand goes by turns.
func (s *State) needsTurn() bool {
	return s.Phase == Serving && s.Rollout.Phase == Rolling && s.Spec.takesTurns()
}

// hasTurn reports whether the pool may roll, as far as other supervisors go.
func (s *State) hasTurn() bool {
	return slices.ContainsFunc(s.Held, func(h Holding) bool { return h.Right == ToRoll && !h.Lapsing })
}

// mayTurn reports whether further slots may be given to the target of the rollout.
func (s *State) mayTurn() bool { return !s.Spec.takesTurns() || s.hasTurn() }

// beginQueued begins the rollout that is queued, unless another one is under way or it has to wait for its turn.
func (s *stepper) beginQueued() {
	if s.Phase != Serving || !s.awaitsTurn() {
		return
	}
	if spec := s.coming(); !spec.takesTurns() || s.hasTurn() {
		s.begin(spec)
	}
}

// endTurn gives the turn back when a rollout has ended. Who follows it asks anew: others may have waited for longer.
func (s *stepper) endTurn() {
	s.Held = slices.DeleteFunc(s.Held, func(h Holding) bool {
		if h.Right == ToRoll {
			s.act(Release{Claim: h.Claim})
		}
		return h.Right == ToRoll
	})
}

// dropQueued ends the rollout that is queued before it has begun. Its number is used up: whoever waits for it must not hear
// of another one.
func (s *stepper) dropQueued(queued uint64, cause RolloutCause) {
	s.Rollout.Queued, s.Rollout.After = 0, Spec{}
	if queued != 0 {
		s.Rollout.Target = queued
		s.act(RolloutEnded{Target: queued, Cause: cause})
	}
}

// wantTurn notes whether a turn is missing.
func (s *stepper) wantTurn() {
	s.wants[ToRoll] = 0
	if s.awaitsTurn() || s.needsTurn() && !s.hasTurn() {
		s.wants[ToRoll] = 1
	}
}
