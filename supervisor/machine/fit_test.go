package machine

import "slices"

// The environment's books of who works, and of who is to be recycled.

// fits enters what was found out about a process that was not told to leave.
func (c *checker) fits(ref Ref, now fitness) {
	w, p := c.now, c.now.proc(ref)
	was := p.fit
	p.fit, p.proving = now, false
	if was == isFit && now != isFit && ref.Slot < w.wanted() && p.generation == w.open {
		c.mustAbort = true
	}
}

// failing enters that a process does not work. One that starts has failed; for the others the charge comes when they are
// replaced.
func (c *checker) failing(e Failed) {
	p := c.now.proc(e.Ref)
	if !p.said {
		c.charge(e.Ref, p)
		return
	}
	if slots := c.now.st.Slots; e.Age >= c.now.spec.Backoff.StableAfter && e.Ref.Slot < c.now.wanted() && p.generation == slots[e.Ref.Slot].Generation {
		c.now.fails[e.Ref.Slot] = 0
	}
	c.fits(e.Ref, isFailing)
}

// trace enters that a process is told to say where it hangs.
func (c *checker) trace(ref Ref) {
	p := c.now.proc(ref)
	if p == nil || p.fit != isFailing || p.told || c.now.stopping {
		c.fail(ruleFitness, "trace of %+v, which is not known to fail", ref)
		return
	}
	c.replaces(ref, p)
	p.tell()
	p.traced = true
}

// replaces checks that a process that does not work is taken away only if the pool can do without it.
func (c *checker) replaces(ref Ref, p *proc) {
	c.unsteered(ref)
	c.replaced = append(c.replaced, ref.place().index())
	if c.spared(ref, c.generationOf) {
		c.fail(ruleFitness, "%+v is replaced, and enough slots have nobody already", ref)
	}
	c.now.mending[ref.Slot] = c.now.mending[ref.Slot] || !c.now.stays(ref.place().index()^1)
	c.charge(ref, p)
}

// spared reports whether a process that does not work is to stay for now, if the slots are to run these generations.
func (c *checker) spared(ref Ref, generation func(slot int) uint64) bool {
	across := ref.place().index() ^ 1
	another := c.now.stays(across)
	return !another && c.deserted(ref, generation) >= max(1, unavailableOf(&c.now.spec))
}

// deserted counts the wanted slots, but that of ref, where nobody is up because of a repair, and somebody is to be.
func (c *checker) deserted(ref Ref, generation func(slot int) uint64) int {
	n := 0
	for slot := range min(c.now.wanted(), len(c.now.procs)/2) {
		up := false
		for _, i := range [...]int{index(slot, A), index(slot, B)} {
			up = up || c.now.stays(i)
		}
		if !up && c.now.mending[slot] && slot != ref.Slot && !c.now.overIn(slot, generation(slot)) && !c.now.standsBy(slot) {
			n++
		}
	}
	return n
}

// stays reports whether a process is up by what was done so far: it may serve, and is neither told to leave nor about to be.
func (w *world) stays(i int) bool {
	return w.procs[i].serves() && !slices.Contains(w.timers, Timer{Kind: SettleTimer, Ref: w.ref(i)})
}

// repaired checks that no worker that does not work is left where it could be replaced.
func (c *checker) repaired() {
	generation := func(slot int) uint64 { return c.now.st.Slots[slot].Generation }
	for i := range c.now.procs {
		if i/2 < c.now.wanted() && c.now.health(i) == Failing && !c.now.stopping && !c.spared(c.now.ref(i), generation) {
			c.fail(ruleFitness, "%v fails and stays", at(i))
		}
	}
}

// pairOf returns the place of the incumbent that is being recycled in a slot, if one is: it is to go, and another one of
// its generation is there for it.
func (w *world) pairOf(slot int) (int, bool) {
	for _, i := range [...]int{index(slot, A), index(slot, B)} {
		p, q := &w.procs[i], &w.procs[i^1]
		if p.due && p.serves() && q.lives() && !q.leaving && p.generation == q.generation && isUp(w.health(i)) && q.inc > p.inc {
			return i, true
		}
	}
	return 0, false
}

// awaits checks that nobody starts beside a worker whose place is to be taken.
func (c *checker) awaits(a Start) {
	across := a.Ref
	across.Side = a.Ref.Side.Other()
	across.Inc = c.now.procs[across.place().index()].inc
	waited := c.before.holder(a.Ref.place().index()) == a.Ref.Inc // it was there before its neighbour failed
	for _, t := range c.now.timers {
		if t.Ref == across && !waited && (t.Kind == TraceTimer || t.Kind == ReapTimer) {
			c.fail(ruleFitness, "%+v starts, and is to wait for the place of %+v", a.Ref, across)
		}
	}
}

// recycles checks the start of a successor beside an incumbent of its own generation.
func (c *checker) recycles(a Start) {
	w, across := c.now, a.Ref.place().index()^1
	p := &w.procs[across]
	if !p.serves() || !isUp(w.health(across)) || p.generation != a.Generation {
		return
	}
	if !p.due || p.tried && w.spec.RecycleGap > 0 {
		c.fail(ruleRecycling, "%+v starts beside %+v, which is to stay for now", a.Ref, w.ref(across))
	}
	p.tried = true
	waited := c.before.holder(a.Ref.place().index()) == a.Ref.Inc
	if w.open != 0 && !waited {
		c.fail(ruleRecycling, "%+v is recycled during a rollout", w.ref(across))
	}
	for _, t := range w.timers {
		if t.Kind == RecycleTimer {
			c.fail(ruleRecycling, "%+v is recycled before the gap has ended", w.ref(across))
		}
	}
	for slot := range len(w.procs) / 2 {
		if _, ok := w.pairOf(slot); ok && slot != a.Ref.Slot {
			c.fail(ruleRecycling, "%+v is recycled beside slot %d", w.ref(across), slot)
		}
	}
}

// replacesInPlace reports whether a worker that is taken out of service leaves its slot to a ready one of its generation:
// that is a recycling, after which as many slots are served as before.
func (w *world) replacesInPlace(i int) bool {
	p, q := &w.procs[i], &w.procs[i^1]
	return p.due && q.serves() && !q.proving && w.health(i^1).Serves() && p.generation == q.generation
}

// fellIll reports whether the worker at a place was taken out of service by its own news.
func (c *checker) fellIll(i int) bool {
	ref := c.now.ref(i)
	failed, _ := c.ev.(Failed)
	return c.ev == BecameUnready{Ref: ref} || failed.Ref == ref
}
