package machine

import "slices"

// result compares the state after a step with the books.
func (c *checker) result() {
	w := c.now
	if c.mustAbort && !c.isForced {
		c.fail("I10", "a successor failed, and the rollout to %d goes on", w.open)
	}
	if c.mustQuit {
		c.fail(ruleBackoff, "a slot failed too often, and the pool did not give up")
	}
	if w.exited {
		if w.open != 0 || w.queued {
			c.fail(ruleRollouts, "exit, and the rollout to %d has no end, or that after it", w.open)
		}
		if w.st.Phase != Exited {
			c.fail(ruleBooks, "exit, but the phase is %v", w.st.Phase)
		}
		return
	}
	if c.isForced {
		c.fail("I5", "forced, but there was no exit")
	}
	if w.stopping != (w.st.Phase == Stopping) || w.terms != w.st.Terms {
		c.fail(ruleBooks, "phase %v after %d terminations", w.st.Phase, w.st.Terms)
	}
	if n := w.servedSlots(); n != w.st.ReadySlots() {
		c.fail(ruleBooks, "%d slots serve, not %d", n, w.st.ReadySlots())
	}
	if w.stopping && w.living(len(w.procs)) == 0 {
		c.fail("I9", "stopping, nobody lives, and there was no exit")
	}
	if w.st.Spec != w.spec {
		rule := ruleWishes
		if c.wentBack {
			rule = "I10"
		}
		c.fail(rule, "wanted is %+v, not %+v", w.spec, w.st.Spec)
		return
	}
	w.forgetFinished()
	if _, done := w.isDone(); done && !w.stopping {
		c.fail(ruleRestarts, "the work is done, and there was no exit")
	}
	for i := range w.procs {
		c.place(i)
	}
	for i := range w.fails {
		c.spaced(i)
	}
	for _, at := range w.steered {
		if c.isVacant(at.index() ^ 1) {
			c.fail(ruleSteering, "%v settles, and connections are steered to it", at)
		}
	}
	c.loners()
	c.stopped()
	c.repaired()
	c.heads()
	c.left()
	c.held()
	c.entitled()
	c.turns()
	c.answered()
}

// forgetFinished empties the places of workers that were the last ones of a generation that their slot is not to run
// any more.
func (w *world) forgetFinished() {
	for i := range w.procs {
		wanted := i/2 < len(w.st.Slots) && w.procs[i].generation == w.st.Slots[i/2].Generation
		if p := &w.procs[i]; !p.lives() && (p.ended == NotEnded || !wanted) {
			*p = proc{}
		}
	}
}

// held checks that a second slot gets its turn when the canary has proved itself, and not before.
func (c *checker) held() {
	w := c.now
	if w.open == 0 || w.spec.Canary == 0 || w.passed {
		return
	}
	for i := range min(w.wanted(), len(w.st.Slots)) {
		had := c.before.open == w.open && i < len(c.before.st.Slots) && c.before.st.Slots[i].Generation == w.open
		if had || w.st.Slots[i].Generation != w.open {
			continue
		}
		for j := range w.procs {
			p := &w.procs[j]
			if j/2 != i && j/2 < w.wanted() && p.lives() && !p.leaving && p.generation == w.open {
				c.fail(ruleProof, "slot %d gets its turn before %v has proved itself", i, at(j))
			}
		}
	}
}

// place compares what the machine and the books know of one place.
func (c *checker) place(i int) {
	w, p := c.now, &c.now.procs[i]
	h, inc := w.health(i), w.holder(i)
	c.diagram(i)
	if h.HasProcess() != p.lives() || p.lives() && (p.inc != inc || !p.isAs(w.st.Slots[i/2].Workers[i%2])) {
		c.fail(ruleBooks, "%v is %v (incarnation %d), but the process is %+v", at(i), h, inc, p)
		return
	}
	fits := true
	switch h {
	case Free, Waiting:
		fits = p.ended == NotEnded
	case Finished:
		fits = p.ended != NotEnded && w.st.Slots[i/2].Workers[i%2].Ended == p.ended
	case Starting:
		fits = p.leader && !p.said && !p.leaving
	case Proving:
		fits = p.serves() && p.proving && p.fit == isFit
	case Ready:
		fits = p.serves() && !p.proving && p.fit == isFit
	case Unready:
		fits = p.serves() && p.fit == isUnready
	case Failing:
		fits = p.serves() && p.fit == isFailing
	case Settling:
		fits = p.serves()
		p.proving, p.fit = false, isFit // who watches it says so again
	case Retiring:
		fits = p.leader && p.leaving && !p.told
	case Draining:
		fits = p.told && !p.killed && !p.traced
	case Tracing:
		fits = p.traced && !p.killed
	case Reaping:
		fits = p.traced && p.killed
	case Killed:
		fits = p.killed
	}
	if !fits {
		c.fail(ruleBooks, "%v is %v, but the process is %+v", at(i), h, p)
	}
	if w.stopping && p.lives() && !p.leaving && (!w.patient || h != Settling) {
		c.fail(ruleSignals, "%v was not told to leave, and the pool stops", at(i))
	}
	if h == Starting && i/2 < w.wanted() && w.outlived(i) {
		c.fail(ruleRollouts, "%v still starts, and its successor serves", at(i))
	}
	if !isUp(h) && p.dump == isAsked {
		p.dump = mayMiss
	}
	if h == Waiting && (w.stopping || i/2 >= w.wanted()) {
		c.fail("I6", "%v waits to be started", at(i))
	}
}

// outlived reports whether the worker across is ready and of the generation that the slot is to run, and this one is not.
func (w *world) outlived(i int) bool {
	generation := w.st.Slots[i/2].Generation
	return w.health(i^1) == Ready && w.procs[i^1].generation == generation && w.procs[i].generation != generation
}

// spaced checks that the restarts of a slot are spaced by its failures: the first comes at once, later ones wait.
func (c *checker) spaced(slot int) {
	w := c.now
	if slot >= w.wanted() || w.stopping {
		w.fails[slot], w.mending[slot], w.fleet.rested[slot] = 0, false, false
		return
	}
	s := &w.st.Slots[slot]
	if slot >= len(c.before.st.Slots) || slot >= c.before.wanted() || c.generationOf(slot) != s.Generation {
		w.fails[slot], w.fleet.rested[slot] = 0, false
	}
	if s.Failures != int(w.fails[slot]) {
		c.fail(ruleBackoff, "slot %d failed %d times, not %d", slot, w.fails[slot], s.Failures)
	}
	for side := A; side <= B; side++ {
		v := s.Workers[side]
		isNew := v.Inc != 0 && v.Inc != c.before.holder(index(slot, side))
		if isNew && (v.Health == Waiting) != (w.fails[slot] >= 2 && !c.hadRested(slot)) {
			c.fail(ruleBackoff, "%v is %v after %d failures", Place{slot, side}, v.Health, w.fails[slot])
		}
	}
}

// moves[from] are the healths that a worker may have after a step, if it is still the same one.
func moves() map[Health][]Health {
	to := map[Health][]Health{}
	var walk func(start, from Health)
	walk = func(start, from Health) {
		for _, next := range Diagram()[from] {
			if next != Free && !slices.Contains(to[start], next) {
				to[start] = append(to[start], next)
				walk(start, next)
			}
		}
	}
	for h := Free; h <= Killed; h++ {
		walk(h, h)
	}
	return to
}

// lawful[from][to] reports whether one step may take a worker from one health to another, through others if need be,
// but not through Free, which ends it.
var lawful = func() (table [Killed + 1][Killed + 1]bool) {
	for from, all := range moves() {
		for _, to := range all {
			table[from][to] = true
		}
	}
	return table
}()

func (c *checker) diagram(i int) {
	from, to := c.before.health(i), c.now.health(i)
	if c.before.holder(i) == c.now.holder(i) {
		if from != to && !lawful[from][to] {
			c.fail("I8", "%v went from %v to %v", at(i), from, to)
		}
		return
	}
	if from != Free && !slices.Contains(Diagram()[from], Free) || to != Free && !lawful[Free][to] {
		c.fail("I8", "%v went from %v over free to %v", at(i), from, to)
	}
}

// loners checks I7: the timers that run are those of the workers' healths, and that of the dump in progress.
func (c *checker) loners() {
	w := c.now
	dumps, rests := 0, 0
	for _, t := range w.timers {
		switch t.Kind { //nolint:exhaustive // the others belong to workers
		case DumpTimer:
			dumps++
			continue
		case RecycleTimer:
			rests++
			continue
		}
		i := t.Ref.place().index()
		if kind, has := timerOf(w.health(i)); !has || kind != t.Kind || w.holder(i) != t.Ref.Inc {
			c.fail("I7", "timer %+v runs, but %v is %v", t, at(i), w.health(i))
		}
	}
	for i := range w.procs {
		kind, has := timerOf(w.health(i))
		if !has || kind == ReadyTimer && w.spec.ReadyTimeout == 0 {
			continue
		}
		ref := Ref{Slot: i / 2, Side: Side(i % 2), Inc: w.holder(i)}
		if !slices.Contains(w.timers, Timer{Kind: kind, Ref: ref}) {
			c.fail("I7", "%v is %v without a timer", at(i), w.health(i))
		}
	}
	if dumps > 1 || dumps == 1 && w.stopping {
		c.fail(ruleDumps, "%d timers run", dumps)
	}
	if rests > 1 || rests == 1 && w.stopping {
		c.fail(ruleRecycling, "%d timers run", rests)
	}
}

// stopped checks I3: whoever was up, has not left or died, and is taken out of service now, was stopped by a rollout if its
// slot is wanted. Where another worker of the slot serves instead, or its work is done, slots that are unready by themselves are
// no obstacle.
func (c *checker) stopped() {
	w := c.now
	var beside, alone []int
	for i := range w.procs {
		switch {
		case w.stopping || !c.wasStopped(i):
		case w.inServiceAt(i^1) || w.health(i^1) == Finished:
			beside = append(beside, i)
		default:
			alone = append(alone, i)
		}
	}
	check := func(i, n int) {
		if n < w.wanted()-unavailableOf(&w.spec) {
			c.fail("I3", "%v was stopped, and %d of %d are left to rely on", at(i), n, w.wanted())
		}
	}
	for _, i := range beside {
		check(i, w.available()+w.unfitSlots())
	}
	for _, i := range alone {
		n := w.available() + len(beside)
		if !c.before.health(i).Serves() {
			n += w.unfitSlots()
		}
		check(i, n)
	}
}

// wasStopped reports whether a worker that was up, or is, was taken out of service, and neither by its own news nor by its
// recycling.
func (c *checker) wasStopped(i int) bool {
	w, p, was := c.now, &c.now.procs[i], c.before.health(i)
	if i/2 >= w.wanted() || !p.leader || !p.said || c.before.holder(i) != p.inc || !isUp(was) && was != Starting {
		return false
	}
	if h := w.health(i); h != Settling && h != Draining && h != Reaping && h != Killed {
		return false
	}
	unfit := !was.Serves() && isUp(w.health(i^1)) // its slot is served as it was without it
	return i != c.cut && !unfit && !w.replacesInPlace(i) && !c.fellIll(i) && !slices.Contains(c.replaced, i)
}

// heads checks where connections go, and that no queue is without an heir.
func (c *checker) heads() {
	w := c.now
	if w.stopping {
		return
	}
	n := 0
	for i := range w.procs {
		if !w.takes(i) {
			continue
		}
		if n++; !slices.Contains(w.steered, at(i)) {
			c.fail(ruleSteering, "%v is to take connections and gets none", at(i))
		}
	}
	if n > 0 && n != len(w.steered) {
		c.fail(ruleSteering, "steered to %v, but %d are ready", w.steered, n)
	}
	for i := range w.procs {
		c.queue(i)
	}
}

// queue checks that the queue of a place is kept exactly if a worker is there to serve it, or is to come there.
func (c *checker) queue(i int) {
	w, h := c.now, c.now.health(i)
	across := w.health(i ^ 1)
	manned := h.Active() || h == Settling
	switch kept := w.adopted[i]; {
	case manned && !kept:
		c.fail(ruleQueues, "%v is %v and abandoned", at(i), h)
	case manned || !kept:
	case i/2 >= w.wanted():
		c.fail(ruleQueues, "the queue of %v is kept, and the slot is not wanted", at(i))
	case w.over(i/2) || w.standsBy(i/2):
		c.fail(ruleQueues, "the queue of %v is kept, and nobody is to come", at(i))
	case across.Serves():
		c.fail(ruleQueues, "the queue of %v is kept for nobody, %v is ready", at(i), at(i^1))
	}
	if i%2 == 0 && i/2 < w.wanted() && !w.adopted[i] && !w.adopted[i+1] && !w.over(i/2) && !w.standsBy(i/2) {
		c.fail(ruleQueues, "slot %d has no queue", i/2)
	}
}

// answered checks that what was asked for was done, or will be.
func (c *checker) answered() {
	for _, i := range c.reloaded {
		if isUp(c.now.health(i)) && !c.now.stopping {
			c.fail(ruleReload, "no reload for %v", at(i))
		}
	}
	if c.died != nil && !c.buried {
		c.fail(ruleDeaths, "no obituary for %+v", *c.died)
	}
	if c.aborted && (c.now.queued || c.now.open != 0) {
		c.fail(ruleRollouts, "aborted, and a rollout is open or queued")
	}
	w := c.now
	if w.stopping && (w.open != 0 || w.queued) {
		c.fail(ruleRollouts, "the rollout to %d has no end, or that after it", w.open)
	}
}

// arrived checks I9 and I10 where nothing more happens by itself: the pool is as wanted, or it has ended. What nobody
// can be relied on to do has not happened: nobody has left because it was told to.
func (w *world) arrived() error {
	c := &checker{before: w, now: w}
	if w.stopping && !w.exited {
		c.fail("I9", "nothing happens, and there was no exit")
	}
	if w.exited {
		return c.verdict()
	}
	for i := range w.procs {
		p, h := &w.procs[i], w.health(i)
		switch {
		case i/2 >= w.wanted() && (p.lives() || h != Free):
			c.fail("I9", "%v is %v and is not wanted", at(i), h)
		case i/2 < w.wanted() && !isSettled(h) && h != Free:
			c.fail("I9", "%v stays %v", at(i), h)
		case p.lives() && p.generation != w.good:
			c.fail("I10", "%v is of generation %d, not %d", at(i), p.generation, w.good)
		}
		if i%2 == 0 && i/2 < w.wanted() && isSettled(h) == isSettled(w.health(i+1)) && !w.standsBy(i/2) {
			c.fail("I9", "slot %d has no worker, or two", i/2)
		}
		if p.dump == isAsked {
			c.fail(ruleDumps, "%v has never dumped", at(i))
		}
		if p.lives() && p.due {
			c.fail(ruleRecycling, "%v is never recycled", at(i))
		}
	}
	if w.open != 0 || w.queued || w.st.Rollout.Phase != NoRollout {
		c.fail(ruleRollouts, "rollout to %d stays open (queued: %v)", w.open, w.queued)
	}
	if len(w.st.Dumps) > 0 || len(w.st.Owed) > 0 || len(w.st.Due) > 0 {
		c.fail(ruleBooks, "dumps %v, reloads %v and recyclings %v are left", w.st.Dumps, w.st.Owed, w.st.Due)
	}
	return c.verdict()
}

func isSettled(h Health) bool { return h == Ready || h == Unready || h == Finished }

func (c *checker) verdict() error {
	if c.err == nil {
		return nil
	}
	return c.err
}
