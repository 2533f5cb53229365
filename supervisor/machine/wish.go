package machine

// scale changes how many slots are wanted. That is a user's wish and no part of what a rollout tries out, so it holds also
// if the rollout fails, and when a queued one begins. A specification that cannot have the number, for want of worker
// ids, keeps its own.
func (s *stepper) scale(workers int) {
	if s.Phase != Serving {
		return
	}
	if s.Rollout.Phase == Rolling {
		s.Rollout.Before = s.Rollout.Before.scaled(workers)
	}
	if s.Rollout.After.Workers > 0 {
		s.Rollout.After = s.Rollout.After.scaled(workers)
	}
	s.put(s.Spec.scaled(workers))
}

// change makes another specification the wanted one: at once, or with a rollout, which takes it back if it fails. The
// latest wish wins, so one that needs no rollout is also what a queued rollout begins with.
func (s *stepper) change(e SpecChanged) {
	switch {
	case s.Phase != Serving || e.Spec.Validate() != nil || e.Spec.Claims != s.Spec.Claims:
	case !e.Roll:
		if s.Rollout.Phase == Rolling {
			s.Rollout.Before = e.Spec
		}
		if s.Rollout.After.Workers > 0 {
			s.Rollout.After = e.Spec
		}
		s.put(e.Spec)
		s.beginQueued() // it may need no turn any more
	default:
		s.Rollout.Queued, s.Rollout.After = s.Rollout.Target+1, e.Spec
		s.beginQueued()
	}
}

// put makes a specification the one in force. Slots that are new begin with what is known to be good. Slots that have
// finished go on if the policy is another one now.
func (s *stepper) put(spec Spec) {
	before := s.Spec
	s.Spec = spec
	if before.FirstID != spec.FirstID || before.LastID != spec.LastID {
		s.withdraw(ToID, 0) // what was asked for is of the other range
	}
	s.retime(before)
	s.addSlots(spec.Workers)
	for i := before.Workers; i < spec.Workers; i++ {
		slot := &s.Slots[i]
		slot.Generation, slot.Failures, slot.Rested, slot.Repairing = s.Generation, 0, false, false
	}
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			if i >= spec.Workers || !spec.Restart.finishes(s.Slots[i].Workers[side].Ended) {
				s.Slots[i].resume(side)
			}
		}
	}
	s.recount()
}

// retime sets or stops the timers of the workers that start, if there is a time for it now and was none, or the other
// way round. All other timers run as long as they were set for.
func (s *stepper) retime(before Spec) {
	if (before.ReadyTimeout > 0) == (s.Spec.ReadyTimeout > 0) {
		return
	}
	for _, ref := range s.refs(func(h Health) bool { return h == Starting }) {
		t := Timer{Kind: ReadyTimer, Ref: ref}
		if s.Spec.ReadyTimeout > 0 {
			s.act(SetTimer{Timer: t, After: s.Spec.ReadyTimeout})
			continue
		}
		s.act(StopTimer{Timer: t})
	}
}

func (s *stepper) addSlots(n int) {
	for len(s.Slots) < n {
		s.Slots = append(s.Slots, Slot{Generation: s.Generation})
	}
}
