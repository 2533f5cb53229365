package machine

// room is what is left for further workers: it is counted once for all the starts of a pass, and not again for each.
// What comes free later in the pass is seen by the next pass.
type room struct {
	occupied int    // workers of the wanted slots that are unreaped or wait: one that waits keeps its place
	unreaped int    // workers of the wanted slots that have a process
	taken    []bool // worker ids of all slots, from FirstID
	first    int    // FirstID
	next     int    // below it all are taken
}

// limit is how many workers the wanted slots may have at once.
func (s *State) limit() int { return s.Spec.Workers + s.Spec.Surge() }

// census returns the room of this pass.
func (s *stepper) census() *room {
	if s.room != nil {
		return s.room
	}
	ids := min(s.Spec.LastID-s.Spec.FirstID+1, 2*len(s.Slots)+1) // more are never looked at
	s.room = &room{taken: make([]bool, ids), first: s.Spec.FirstID}
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
	return s.room
}

// recount makes the next census a new one.
func (s *stepper) recount() { s.room = nil }

// lowestID is the lowest worker id that no unreaped worker has.
func (r *room) lowestID() (int, bool) {
	for ; r.next < len(r.taken); r.next++ {
		if !r.taken[r.next] {
			return r.first + r.next, true
		}
	}
	return 0, false
}
