package machine

// room is what is left for further workers: it is counted once for all the starts of a pass, and not again for each.
// What comes free later in the pass is seen by the next pass.
type room struct {
	occupied int       // workers of the wanted slots that are unreaped or wait: one that waits keeps its place
	unreaped int       // workers of the wanted slots that have a process
	taken    []bool    // worker ids of all slots, from FirstID
	first    int       // FirstID
	next     int       // below it all are taken
	claimed  []Holding // with claims: those to worker ids that nobody has
	deserted int       // with claims: wanted slots without a process, which come first
	shared   bool      // there are claims
}

// limit is how many workers the wanted slots may have at once.
func (s *State) limit() int { return s.Spec.Workers + s.Spec.Surge() }

// census returns the room of this pass.
func (s *stepper) census() *room {
	if s.room != nil {
		return s.room
	}
	ids := min(s.Spec.LastID-s.Spec.FirstID+1, 2*len(s.Slots)+1) // more are never looked at
	s.room = &room{taken: make([]bool, ids), first: s.Spec.FirstID, shared: s.Spec.Claims}
	for i := range s.Slots {
		for _, w := range s.Slots[i].Workers {
			if w.Health == Free || w.Health == Finished {
				continue
			}
			if i < s.Spec.Workers {
				s.room.occupied++
			}
			if !w.Health.HasProcess() {
				continue
			}
			if i < s.Spec.Workers {
				s.room.unreaped++
			}
			if at := w.ID - s.Spec.FirstID; at >= 0 && at < ids { // the range may have been another one
				s.room.taken[at] = true
			}
		}
	}
	if s.Spec.Claims {
		s.takeStock()
	}
	return s.room
}

// takeStock counts what is held and not used.
func (s *stepper) takeStock() {
	used := map[int]bool{}
	for i := range s.Slots {
		slot := &s.Slots[i]
		for _, w := range slot.Workers {
			if w.Health.HasProcess() {
				used[w.ID] = true
			}
		}
		if i < s.Spec.Workers && !slot.hasProcess() && !slot.over() {
			s.room.deserted++
		}
	}
	for _, h := range s.Held {
		if s.isUsable(h) && !used[h.ID] {
			s.room.claimed = append(s.room.claimed, h)
		}
	}
}

// recount makes the next census a new one.
func (s *stepper) recount() { s.room = nil }

// hasID reports whether there is a worker id for a worker that starts: in a slot that has no process, or in another one.
func (r *room) hasID(deserted bool) bool {
	if !r.shared {
		_, ok := r.lowestID()
		return ok
	}
	return len(r.claimed) > 0 && (deserted || len(r.claimed) > r.deserted)
}

// take gives a worker id away, with the fence of its claim.
func (r *room) take(deserted bool) (id int, fence uint64) {
	if !r.shared {
		id, _ = r.lowestID()
		r.next++
		return id, 0
	}
	if deserted {
		r.deserted--
	}
	h := r.claimed[0]
	r.claimed = r.claimed[1:]
	return h.ID, h.Fence
}

// lowestID is the lowest worker id that no unreaped worker has.
func (r *room) lowestID() (int, bool) {
	for ; r.next < len(r.taken); r.next++ {
		if !r.taken[r.next] {
			return r.first + r.next, true
		}
	}
	return 0, false
}
