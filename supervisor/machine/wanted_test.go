package machine

// The environment's books of what is wanted: which specification is in force, which one comes back if the open rollout
// fails, and which one a queued rollout brings. The arithmetic of specifications is its own, too.

// wanted is how many workers are asked for.
func (w *world) wanted() int { return w.spec.Workers }

func surgeOf(s *Spec) int {
	if s.SurgePercent == 0 {
		return s.MaxSurge
	}
	n := 0
	for 100*n < s.Workers*s.SurgePercent {
		n++
	}
	return n
}

func unavailableOf(s *Spec) int {
	n := s.MaxUnavailable
	if s.UnavailablePercent > 0 {
		for n = s.Workers; 100*n > s.Workers*s.UnavailablePercent; n-- {
		}
	}
	if n == 0 && (s.Order == StopFirst || s.Leader) {
		return 1
	}
	return n
}

// canHave reports whether a pool may be scaled to a number of workers.
func canHave(s *Spec, workers int) bool {
	other := *s
	other.Workers = workers
	return workers > 0 && workers <= MaxWorkers && other.LastID-other.FirstID+1 >= workers+surgeOf(&other)
}

// wishes are all that is to be scaled: what is in force, what would come back, and what is queued.
func (w *world) wishes() []*Spec {
	wishes := []*Spec{&w.spec}
	for _, s := range []*Spec{&w.prior, &w.coming} {
		if s.Workers > 0 {
			wishes = append(wishes, s)
		}
	}
	return wishes
}

// scales reports whether a request for so many workers changes anything.
func (w *world) scales(workers int) bool {
	for _, s := range w.wishes() {
		if s.Workers != workers && canHave(s, workers) {
			return true
		}
	}
	return false
}

// changes reports whether a specification that needs no rollout changes anything.
func (w *world) changes(spec Spec) bool {
	for _, s := range w.wishes() {
		if *s != spec {
			return true
		}
	}
	return false
}

func (w *world) scale(workers int) {
	for _, s := range w.wishes() {
		if canHave(s, workers) {
			s.Workers = workers
		}
	}
	w.inForce(w.spec)
}

// change enters a specification that users want from now on, or when the rollout begins that it comes with.
func (c *checker) change(e SpecChanged) {
	w := c.now
	if e.Roll {
		w.queued, w.coming = true, e.Spec
		return
	}
	for _, s := range w.wishes() {
		*s = e.Spec
	}
	w.inForce(e.Spec)
}

// inForce makes a specification the one that counts. What was known of slots that are not wanted is forgotten, and who
// was to be the last one under the policy of before may not be it any more.
func (w *world) inForce(spec Spec) {
	w.spec = spec
	for slot := spec.Workers; slot < len(w.fails); slot++ {
		w.fails[slot], w.mending[slot], w.fleet.rested[slot] = 0, false, false
	}
	for i := range w.procs {
		w.procs[i].tried = false // there may have been no gap
		if p := &w.procs[i]; p.ended != NotEnded && (i/2 >= spec.Workers || !last(spec.Restart, p.ended)) {
			p.ended = NotEnded
		}
	}
}
