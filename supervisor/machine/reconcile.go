package machine

// reconcile moves from what is towards what is wanted, until no decision is due. What one slot gives up may be what
// another one waits for, so it goes round until a round changes nothing.
func (s *stepper) reconcile() {
	for again := s.Phase == Serving; again; {
		done := len(s.acts)
		s.repair()
		if s.Phase != Serving {
			return
		}
		s.shrink()
		s.refill()
		again = s.rollout() || s.recycle() || len(s.acts) > done
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
	s.recount()
	s.wants, s.successors = [rights]int{}, 0
	ready := s.available()
	for i := range s.Spec.Workers {
		s.refillSlot(i, &ready)
		if s.Spec.Claims && i == leaderSlot {
			s.askFor(ToLead) // whether this slot stands by is what the others go by
			ready = s.available()
		}
	}
	s.wants[ToID] = min(s.wants[ToID], max(0, s.limit()-s.census().occupied))
	s.askFor(ToID)
}

func (s *stepper) refillSlot(i int, ready *int) {
	slot := &s.Slots[i]
	s.dropStale(i)
	slot.rehome()
	if slot.settledOn(slot.Generation) && slot.Outdated == 0 {
		return
	}
	current, hasCurrent := slot.find(func(w Worker) bool { return w.Health.Active() && slot.wants(w) })
	old, hasOld := slot.find(func(w Worker) bool { return w.Health.Active() && !slot.wants(w) })
	switch {
	case hasCurrent && hasOld:
		s.succeed(i, current, ready)
	case hasCurrent:
	case s.postpones(i):
	case s.reinstate(i):
	case hasOld && slot.hasFinished() && !s.runsAgain(i):
		s.relieve(s.ref(i, old), ready)
	case slot.over() || s.mayFinish(slot):
	case hasOld && s.Spec.orderAt(i) == StopFirst:
		s.retireOld(s.ref(i, old), ready)
	case hasOld && slot.Workers[old.Other()].Health.Active():
		// Two failed rollouts have left one each: the one away from home makes room for what is wanted.
		s.retireOld(s.ref(i, slot.Home.Other()), ready)
	default:
		s.fill(i)
	}
}

// wants reports whether a worker is one that the slot is to have.
func (s *Slot) wants(w Worker) bool { return w.Generation == s.Generation && !s.outdates(w) }

// succeed lets go of the incumbent when its successor is ready. One that is recycled leaves its slot as well served as it
// was, whatever the others do, and is not relied on any more.
func (s *stepper) succeed(i int, successor Side, ready *int) {
	slot := &s.Slots[i]
	incumbent := s.ref(i, successor.Other())
	switch {
	case slot.Workers[successor].Health != Ready:
	case slot.isRecycled(incumbent.Side):
		s.retire(incumbent)
	default:
		s.relieve(incumbent, ready)
	}
}

// relieve lets go of a worker whose slot does without it: another one serves there, or the work of the slot is done. What
// others are unfit for is no obstacle.
func (s *stepper) relieve(ref Ref, ready *int) {
	if w, _ := s.Worker(ref); w.Health == Ready && s.spares(*ready+s.unfitSlots()) {
		*ready--
		s.retire(ref)
		return
	}
	s.retireOld(ref, ready)
}

// rehome makes the side of a worker in service the home, of two the side of the one that is to stay; else that of one that
// is up, if nobody is at home. Otherwise the home stays where it was: connections wait there, and the next worker is to
// come there.
func (s *Slot) rehome() {
	home, across := s.Workers[s.Home], s.Workers[s.Home.Other()]
	stays := home.Health.Serves() && (home.Generation == s.Generation || across.Generation != s.Generation)
	deserted := !home.Health.Active() && across.Health.Up() && across.Generation == s.Generation
	if across.Health.Serves() && !stays || deserted {
		s.Home = s.Home.Other()
	}
}

// dropStale ends a backoff whose generation is not wanted any more, and forgets that a worker of such a one has finished.
func (s *stepper) dropStale(i int) {
	slot := &s.Slots[i]
	for side := A; side <= B; side++ {
		switch w := slot.Workers[side]; {
		case w.Generation == slot.Generation:
		case w.Health == Waiting:
			s.free(s.ref(i, side))
		case w.Health == Finished:
			slot.resume(side)
		}
	}
}

// retireOld lets go of a worker that has been, or is to be, replaced. I3 decides when: ready counts those that can be
// relied on. A worker that is proving itself is none of them, but it serves, so it leaves when the others are enough.
func (s *stepper) retireOld(ref Ref, ready *int) {
	switch w, _ := s.Worker(ref); {
	case w.Health == Proving && !s.spares(*ready+1):
		return
	case w.Health == Ready && !s.spares(*ready):
		return
	case (w.Health == Unready || w.Health == Failing) && !s.Slots[ref.Slot].isOvermanned() && !s.spares(*ready+s.unfitSlots()):
		return
	case w.Health == Ready:
		*ready--
	}
	s.retire(ref)
}

// available counts what a rollout can rely on: ready workers, but those that are about to go because they were recycled, and
// slots that have done their work or stand by.
func (s *stepper) available() int {
	n := s.Ready() + s.finishedSlots() + s.StandingBy()
	for i := range s.Spec.Workers {
		if slot := &s.Slots[i]; slot.Workers[A].Health == Ready && slot.Workers[B].Health == Ready && (slot.isRecycled(A) || slot.isRecycled(B)) {
			n--
		}
	}
	return n
}

// spares reports whether a rollout may take one of so many available workers out of service.
func (s *State) spares(available int) bool {
	return available-1 >= s.Spec.Workers-s.Spec.Unavailable()
}

// unfitSlots counts the wanted slots whose workers are up, and none of them is in service. That is no reason to hold up a
// rollout that leaves as many slots served, or unserved, as there were.
func (s *State) unfitSlots() int {
	n := 0
	for i := range min(len(s.Slots), s.Spec.Workers) {
		if s.Slots[i].isUnfit() {
			n++
		}
	}
	return n
}

// reinstate takes back a worker that was steered away from but not yet told to leave, if it is what the slot wants
// again: its rollout failed, or the pool grew again.
func (s *stepper) reinstate(i int) bool {
	slot := &s.Slots[i]
	side, ok := slot.find(func(w Worker) bool { return w.Health == Settling && slot.wants(w) })
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
	if slot.Workers[side].Health != Free || slot.keepsPlace() || s.Spec.orderAt(i) == StopFirst && !slot.empty() {
		return
	}
	room := s.census()
	if room.occupied >= s.limit() || !s.Spec.Claims && !room.hasID(true) {
		return
	}
	rests := s.Spec.Backoff.delay(slot.Failures, s.LastInc+1) > 0 && !slot.Rested
	if !rests && !s.claims(i) {
		return
	}
	room.occupied++
	s.LastInc++
	slot.Workers[side] = Worker{Inc: s.LastInc, Generation: slot.Generation}
	ref := s.ref(i, side)
	if rests {
		s.move(ref, Waiting)
		return
	}
	s.spawn(ref)
}

// assign says which generation a slot is to run from now on. Its failures in a row were another one's.
func (s *Slot) assign(generation uint64) {
	if s.Generation != generation {
		s.Generation, s.Failures, s.Rested = generation, 0, false
	}
}

func (s *Slot) serves() bool { return s.Workers[A].Health.Serves() || s.Workers[B].Health.Serves() }

// isUp reports whether a worker of any generation is up.
func (s *Slot) isUp() bool { return s.Workers[A].Health.Up() || s.Workers[B].Health.Up() }

// isUnfit reports whether somebody is up, and nobody in service.
func (s *Slot) isUnfit() bool { return s.isUp() && !s.serves() }

// isOvermanned reports whether two are up, and one of them serves nobody: a failed rollout has left them.
func (s *Slot) isOvermanned() bool {
	a, b := s.Workers[A].Health, s.Workers[B].Health
	return a.Up() && b.Up() && !(a.Serves() && b.Serves())
}

// hasProcess reports whether somebody here is unreaped.
func (s *Slot) hasProcess() bool {
	return s.Workers[A].Health.HasProcess() || s.Workers[B].Health.HasProcess()
}

// isAlive reports whether a worker of any generation is up or starts, or could be reinstated.
func (s *Slot) isAlive() bool {
	_, ok := s.find(func(w Worker) bool {
		return w.Health == Starting || w.Health.Up() || w.Health == Settling && w.Generation == s.Generation
	})
	return ok
}

// hasFreeSide reports whether a successor can start here: one who has finished makes room for it.
func (s *Slot) hasFreeSide() bool {
	_, ok := s.find(func(w Worker) bool { return w.Health == Free || w.Health == Finished })
	return ok
}

// keepsPlace reports whether the next worker waits for a place here.
func (s *Slot) keepsPlace() bool {
	return s.Workers[A].Health.KeepsPlace() || s.Workers[B].Health.KeepsPlace()
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
