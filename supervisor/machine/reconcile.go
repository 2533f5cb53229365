package machine

// reconcile moves from what is towards what is wanted, until no decision is due.
func (s *stepper) reconcile() {
	switch s.Phase {
	case Serving:
		for again := true; again; {
			s.shrink()
			s.refill()
			again = s.rollout()
		}
	case Stopping:
		if s.Unreaped() == 0 {
			s.Phase = Exited
			s.act(Exit{Code: s.ExitCode})
		}
	case Exited:
	}
}

// shrink takes the slots that are not wanted any more out of service, and forgets those that are empty.
func (s *stepper) shrink() {
	for i := s.Spec.Workers; i < len(s.Slots); i++ {
		for side := A; side <= B; side++ {
			if s.Slots[i].Workers[side].Health.Active() {
				s.retire(s.ref(i, side))
			}
		}
	}
	for n := len(s.Slots); n > s.Spec.Workers && s.Slots[n-1].empty(); n-- {
		s.Slots = s.Slots[:n-1]
	}
}

// refill gives every wanted slot a worker of its generation, and lets go of the other generations' workers.
func (s *stepper) refill() {
	for i := range s.Spec.Workers {
		slot := &s.Slots[i]
		s.dropStaleWaiting(i)
		current, hasCurrent := slot.find(func(w Worker) bool {
			return w.Health.Active() && w.Generation == slot.Generation
		})
		old, hasOld := slot.find(func(w Worker) bool {
			return w.Health.Active() && w.Generation != slot.Generation
		})
		switch {
		case hasCurrent && hasOld:
			if slot.Workers[current].Health == Ready {
				s.retireOld(s.ref(i, old))
			}
		case hasCurrent:
		case s.reinstate(i):
		case hasOld && s.Spec.Order == StopFirst:
			s.retireOld(s.ref(i, old))
		default:
			s.fill(i)
		}
	}
}

// dropStaleWaiting ends a backoff whose generation is not wanted any more: the failures were the other one's.
func (s *stepper) dropStaleWaiting(i int) {
	slot := &s.Slots[i]
	for side := A; side <= B; side++ {
		if w := slot.Workers[side]; w.Health == Waiting && w.Generation != slot.Generation {
			s.free(s.ref(i, side))
			slot.Failures = 0
		}
	}
}

// retireOld lets go of a worker that has been, or is to be, replaced. I3 decides when.
func (s *stepper) retireOld(ref Ref) {
	w, _ := s.Worker(ref)
	if w.Health == Ready && s.Ready()-1 < s.Spec.Workers-s.Spec.MaxUnavailable {
		return
	}
	s.retire(ref)
}

// reinstate takes back a worker that was steered away from but not yet told to leave, if it is what the slot wants
// again: its rollout failed, or the pool grew again.
func (s *stepper) reinstate(i int) bool {
	slot := &s.Slots[i]
	side, ok := slot.find(func(w Worker) bool { return w.Health == Settling && w.Generation == slot.Generation })
	if ok {
		s.move(s.ref(i, side), Ready)
		slot.Home = side
	}
	return ok
}

// fill starts a worker for a slot, at once or after its backoff, if there is room.
func (s *stepper) fill(i int) {
	slot := &s.Slots[i]
	side := slot.Home
	if slot.Workers[side].Health != Free {
		side = side.Other()
	}
	if slot.Workers[side].Health != Free || s.occupied() >= s.Spec.Workers+s.Spec.MaxSurge {
		return
	}
	if s.Spec.Order == StopFirst && !slot.empty() {
		return
	}
	if _, ok := s.freeID(); !ok {
		return
	}
	s.LastInc++
	slot.Workers[side] = Worker{Inc: s.LastInc, Generation: slot.Generation}
	ref := s.ref(i, side)
	if s.Spec.Backoff.delay(slot.Failures, ref.Inc) > 0 {
		s.move(ref, Waiting)
		return
	}
	s.spawn(ref)
}

// occupied counts the workers of the wanted slots that are unreaped, or wait: one that waits keeps its room, so that
// a rollout cannot take it.
func (s *stepper) occupied() int {
	n := 0
	for i := range s.Spec.Workers {
		for _, w := range s.Slots[i].Workers {
			if w.Health != Free {
				n++
			}
		}
	}
	return n
}

func (s *Slot) empty() bool { return s.Workers[A].Health == Free && s.Workers[B].Health == Free }

// find returns the first side whose worker is as asked, the home side first.
func (s *Slot) find(is func(Worker) bool) (Side, bool) {
	for _, side := range [...]Side{s.Home, s.Home.Other()} {
		if is(s.Workers[side]) {
			return side, true
		}
	}
	return 0, false
}
