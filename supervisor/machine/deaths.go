package machine

// died frees the place of a worker that is gone, or waits for the rest of its group, and judges what its death means.
func (s *stepper) died(e Died) {
	w, ok := s.Worker(e.Ref)
	if !ok || !w.Health.HasProcess() {
		return
	}
	s.dead = append(s.dead, e.Ref)
	how := s.ending(e, w)
	s.ends(e.Ref, how)
	switch {
	case !e.Remains:
		s.free(e.Ref)
	case w.Health.KeepsPlace():
	case w.Health != Draining && w.Health != Killed:
		s.move(e.Ref, Draining)
		s.act(TerminateRemains{Ref: e.Ref})
	case w.Health == Draining && e.Untold:
		s.act(TerminateRemains{Ref: e.Ref})
	}
	s.judge(e, w, how)
}

// judge says what a death means for the slot and for the rollout.
func (s *stepper) judge(e Died, w Worker, how Ending) {
	if s.wasTold(w) {
		return
	}
	wasReady := w.Health != Starting
	if slot := &s.Slots[e.Ref.Slot]; wasReady && e.Age >= s.Spec.Backoff.StableAfter && w.Generation == slot.Generation {
		slot.Failures = 0
	}
	if how != NotEnded {
		s.dropRecycling(e.Ref)
		return // it has done its work, or would have been the last one to try
	}
	if wasReady && w.Health != Proving && e.Clean && e.Age >= s.Spec.Backoff.RecycleAge {
		return // programs that recycle themselves end with success
	}
	s.failed(e.Ref, w, SuccessorDied)
}

// failed charges a failure: to the rollout if it is one of its successors, else to the slot. What another generation
// did says nothing about the one that the slot is to run.
func (s *stepper) failed(ref Ref, w Worker, cause RolloutCause) {
	if ref.Slot >= s.Spec.Workers {
		return
	}
	if s.isSuccessor(ref, w) {
		s.abort(cause, ref)
		return
	}
	slot := &s.Slots[ref.Slot]
	s.dropRecycling(ref)
	if w.Generation != slot.Generation {
		return
	}
	if s.Spec.Restart.finishes(EndedBadly) {
		s.ends(ref, EndedBadly)
		return
	}
	slot.Failures++
	slot.Rested = false
	if limit := s.Spec.Backoff.GiveUpAfter; limit > 0 && slot.Failures >= limit {
		s.act(GaveUp{Slot: ref.Slot, Failures: slot.Failures})
		s.ExitCode = 1
		s.stop(0, false)
	}
}

func (s *stepper) gone(ref Ref) {
	if w, ok := s.Worker(ref); ok && w.Health.HasProcess() {
		s.free(ref)
	}
}
