package machine

// The environment's books of who was the last one of a slot, and of whom a rollout can rely on.

// last reports whether nobody follows a worker that ended so.
func last(policy RestartPolicy, how Ending) bool {
	return policy == RestartNever || policy == RestartOnFailure && how == EndedWell
}

// finish enters that a worker has ended, or will, and nobody is to follow it: unless its slot has another one, or had.
func (c *checker) finish(ref Ref, p *proc, how Ending) {
	w, across := c.now, ref.place().index()^1
	generation := c.generationOf(ref.Slot)
	another := c.before.health(across).Active() && c.before.st.Slots[ref.Slot].Workers[across%2].Generation == generation
	if p.generation != generation || another || w.overIn(ref.Slot, generation) {
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

// generationOf is the generation that a slot was to run when the step made of its worker what it did.
func (c *checker) generationOf(slot int) uint64 {
	if c.wentBack {
		return c.now.good
	}
	if slot >= len(c.before.st.Slots) {
		return c.now.st.Slots[slot].Generation
	}
	return c.before.st.Slots[slot].Generation
}

// over reports whether nobody is to start in a slot in the generation that it is to run.
func (w *world) over(slot int) bool { return w.overIn(slot, w.st.Slots[slot].Generation) }

func (w *world) overIn(slot int, generation uint64) bool {
	for _, i := range [...]int{index(slot, A), index(slot, B)} {
		if p := &w.procs[i]; p.ended != NotEnded && p.generation == generation {
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
	return code, w.open == 0 && !w.queued && w.finished() == w.wanted() && w.living(len(w.procs)) == 0
}

// available counts the workers in service that have nothing to prove, and the slots that need none.
func (w *world) available() int {
	n := w.finished()
	if w.wanted() > 0 && w.standsBy(0) {
		n++
	}
	for i := range w.procs {
		if w.inServiceAt(i) && !w.procs[i].proving {
			n++
		}
	}
	return n
}
