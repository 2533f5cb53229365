package machine

// RestartPolicy says which deaths are followed by another worker. Those of workers that were told to leave always are, if
// somebody is wanted there.
type RestartPolicy uint8

// The restart policies.
const (
	RestartAlways    RestartPolicy = iota
	RestartOnFailure               // a clean exit finishes the slot
	RestartNever                   // any exit finishes the slot
)

// finishes reports whether nobody follows a worker that ended like this.
func (p RestartPolicy) finishes(how Ending) bool {
	switch how {
	case EndedWell:
		return p != RestartAlways
	case EndedBadly:
		return p == RestartNever
	case NotEnded:
	}
	return false
}

// ending says whether the death of a worker, which was not told to leave, is the end of its slot's work. A successor
// that ends badly has failed its rollout instead.
func (s *stepper) ending(e Died, w Worker) Ending {
	how := EndedBadly
	if e.Clean {
		how = EndedWell
	}
	if s.wasTold(w) || !s.Spec.Restart.finishes(how) || how == EndedBadly && s.isSuccessor(e.Ref, w) {
		return NotEnded
	}
	return how
}

// wasTold reports whether the death of a worker was asked for.
func (s *stepper) wasTold(w Worker) bool {
	return w.Health >= Draining || s.Phase != Serving
}

// isSuccessor reports whether the rollout at hand depends on a worker.
func (s *stepper) isSuccessor(ref Ref, w Worker) bool {
	return ref.Slot < s.Spec.Workers && s.Rollout.Phase == Rolling && w.Generation == s.Rollout.Target
}

// ends notes that nobody is to follow a worker: unless its slot has another one, or had, or is not wanted.
func (s *stepper) ends(ref Ref, how Ending) {
	slot := &s.Slots[ref.Slot]
	w := &slot.Workers[ref.Side]
	across := slot.Workers[ref.Side.Other()]
	if how == NotEnded || ref.Slot >= s.Spec.Workers || w.Generation != slot.Generation ||
		slot.over() || across.Health.Active() && across.Generation == slot.Generation {
		return
	}
	w.Ended = how
	if s.isSuccessor(ref, *w) {
		s.Rollout.Proven = true
	}
}

// over reports whether the slot has done the work of its generation.
func (s *Slot) over() bool { return s.isOver(s.Workers[A]) || s.isOver(s.Workers[B]) }

func (s *Slot) isOver(w Worker) bool { return w.Ended != NotEnded && w.Generation == s.Generation }

// resume forgets that a worker was to be the last one of its slot.
func (s *Slot) resume(side Side) {
	w := &s.Workers[side]
	if w.Health == Finished {
		*w = Worker{}
	}
	w.Ended = NotEnded
}

// mayFinish reports whether the slot must wait for how a worker ends that leaves by itself: it may be the last one.
func (s *stepper) mayFinish(slot *Slot) bool {
	_, leaves := slot.find(func(w Worker) bool { return w.Health == Retiring && w.Generation == slot.Generation })
	return leaves && s.Spec.Restart != RestartAlways
}

// finishedSlots counts the wanted slots that have done their work and are not to run again: nobody is missing there.
func (s *State) finishedSlots() int {
	n := 0
	if s.Spec.Restart == RestartAlways {
		return n
	}
	for i := range min(len(s.Slots), s.Spec.Workers) {
		if s.Slots[i].hasFinished() && !s.runsAgain(i) {
			n++
		}
	}
	return n
}

// runsAgain reports whether a slot has its turn of the rollout still to come, and so has something to do whatever it has done.
func (s *State) runsAgain(slot int) bool {
	return s.Rollout.Phase == Rolling && s.Slots[slot].Generation != s.Rollout.Target
}

func (s *Slot) hasFinished() bool {
	_, ok := s.find(func(w Worker) bool { return w.Health == Finished && w.Generation == s.Generation })
	return ok
}

// done reports whether all that is wanted has been done, and nobody lives.
func (s *State) done() bool {
	return s.Rollout.Phase == NoRollout && s.Rollout.Queued == 0 && s.finishedSlots() == s.Spec.Workers && s.Unreaped() == 0
}

// verdict is the exit code of a pool whose work is done.
func (s *State) verdict() int {
	for i := range s.Slots {
		for _, w := range s.Slots[i].Workers {
			if w.Ended == EndedBadly {
				return 1
			}
		}
	}
	return s.ExitCode
}

// String is the word for logs, status and documents.
func (p RestartPolicy) String() string { return [...]string{"always", "on-failure", "never"}[p] }
