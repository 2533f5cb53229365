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
	if s.UnavailablePercent == 0 {
		return s.MaxUnavailable
	}
	n := s.Workers
	for 100*n > s.Workers*s.UnavailablePercent {
		n--
	}
	if n == 0 && s.Order == StopFirst {
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
		c.rolls()
		w.coming = e.Spec
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
		w.fails[slot] = 0
	}
	for i := range w.procs {
		if p := &w.procs[i]; p.ended != NotEnded && (i/2 >= spec.Workers || !last(spec.Restart, p.ended)) {
			p.ended = NotEnded
		}
	}
}

// last reports whether nobody follows a worker that ended so.
func last(policy RestartPolicy, how Ending) bool {
	return policy == RestartNever || policy == RestartOnFailure && how == EndedWell
}

// finish enters that a worker has ended, or will, and nobody is to follow it: unless its slot has another one already.
func (c *checker) finish(ref Ref, p *proc, how Ending) {
	w, across := c.now, ref.place().index()^1
	generation := w.st.Slots[ref.Slot].Generation
	another := w.health(across).Active() && w.st.Slots[ref.Slot].Workers[across%2].Generation == generation
	if p.generation != generation || another {
		return
	}
	p.ended = how
	w.passed = w.passed || p.generation == w.open
}

// reap empties a place. If its worker was the last one of its slot, that is remembered.
func (w *world) reap(ref Ref) {
	p := w.proc(ref)
	was := *p
	*p = proc{}
	if was.ended != NotEnded && !w.stopping && was.generation == w.st.Slots[ref.Slot].Generation {
		*p = proc{generation: was.generation, ended: was.ended}
	}
}

// hasFinished reports whether the worker at a place was the last one of its slot, and is gone.
func (w *world) hasFinished(i int) bool { return !w.procs[i].lives() && w.procs[i].ended != NotEnded }

// over reports whether nobody is to start in a slot in the generation that it is to run.
func (w *world) over(slot int) bool {
	for _, i := range [...]int{index(slot, A), index(slot, B)} {
		if p := &w.procs[i]; p.ended != NotEnded && p.generation == w.st.Slots[slot].Generation {
			return true
		}
	}
	return false
}

// finished counts the wanted slots whose work is done.
func (w *world) finished() int {
	n := 0
	for slot := range min(w.wanted(), len(w.procs)/2) {
		if w.hasFinished(index(slot, A)) || w.hasFinished(index(slot, B)) {
			n++
		}
	}
	return n
}

// isDone reports whether the pool has nothing left to do, and with which code it is to exit.
func (w *world) isDone() (code int, done bool) {
	for i := range w.procs {
		if w.procs[i].ended == EndedBadly {
			code = 1
		}
	}
	return code, w.open == 0 && w.finished() == w.wanted() && w.living(len(w.procs)) == 0
}

// available counts the workers in service that have nothing to prove, and the slots that need none.
func (w *world) available() int {
	n := w.finished()
	for i := range w.procs {
		if w.procs[i].serves() && w.health(i).Serves() && !w.procs[i].proving {
			n++
		}
	}
	return n
}
