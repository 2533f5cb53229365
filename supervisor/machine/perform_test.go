package machine

import (
	"slices"
	"time"
)

// perform enters an action in the books, and checks that it is right at this very moment.
func (c *checker) perform(a Action) {
	switch a := a.(type) {
	case Start:
		c.start(a)
	case Ask:
		c.now.fleet.asks[a.Right] += a.Count
		c.asked[a.Right] = true
	case Unask:
		c.unask(a)
	case Release:
		c.release(a.Claim)
	case Terminate:
		c.terminate(a)
	case TerminateRemains:
		p := c.now.proc(a.Ref)
		if p == nil || p.leader || p.killed {
			c.fail(ruleSignals, "nobody remained of %+v", a.Ref)
			return
		}
		if death, ok := c.ev.(Died); ok && p.told && !death.Untold {
			c.fail(ruleSignals, "what remained of %+v was told by its leader, and is told again", a.Ref)
		}
		p.told = true
	case Trace:
		c.trace(a.Ref)
	case Kill:
		c.kill(a.Ref)
	case Relay:
		c.relay(a)
	case SetTimer:
		c.setTimer(a)
	case StopTimer:
		c.now.timers = slices.DeleteFunc(c.now.timers, func(t Timer) bool { return t == a.Timer })
	case Steer:
		c.steer(a)
	case Adopt:
		i := a.Place.index()
		if c.now.adopted[i] {
			c.fail(ruleQueues, "place %v is adopted already", a.Place)
		}
		c.now.adopted[i] = true
	case Abandon:
		i := a.Place.index()
		if !c.now.adopted[i] {
			c.fail(ruleQueues, "place %v was not adopted", a.Place)
		}
		c.now.adopted[i] = false
	case Obituary:
		c.bury(a)
	case RolloutStarted:
		c.rolloutStarted(a)
	case RolloutEnded:
		c.rolloutEnded(a)
	case GaveUp:
		if !c.mustQuit {
			c.fail(ruleBackoff, "gave up without cause")
		}
		c.mustQuit = false
		c.now.stopping, c.now.failed = true, true
	case StillHere:
		if n := c.now.living(len(c.now.procs)); a.Workers != n || a.Terms != c.now.terms {
			c.fail(ruleBooks, "%d processes after %d terminations, not %+v", n, c.now.terms, a)
		}
	case Exit:
		c.exit(a)
	default:
		c.fail(ruleBooks, "unknown action %T", a)
	}
}

func (c *checker) start(a Start) {
	w, i := c.now, a.Ref.place().index()
	spec := &w.spec
	if w.stopping {
		c.fail("I6", "start of %+v while stopping", a.Ref)
	}
	if w.procs[i].lives() {
		c.fail("I1", "start at %v, where a process lives", a.Ref.place())
	}
	for j := range w.procs {
		if w.procs[j].lives() && w.procs[j].id == a.ID {
			c.fail("I1", "worker id %d is held by %+v and given to %+v", a.ID, w.ref(j), a.Ref)
		}
	}
	if a.ID < spec.FirstID || a.ID > spec.LastID {
		c.fail("I1", "worker id %d is out of range", a.ID)
	}
	if n := w.living(w.wanted()); a.Ref.Slot >= w.wanted() || n >= w.wanted()+surgeOf(spec) {
		c.fail("I2", "start of %+v beside %d of %d wanted", a.Ref, n, w.wanted())
	}
	if (spec.Order == StopFirst || spec.Leader && a.Ref.Slot == 0) && w.procs[i^1].lives() {
		c.fail(ruleRollouts, "stop-first, but %+v starts beside another", a.Ref)
	}
	if !w.adopted[i] {
		c.fail(ruleQueues, "start of %+v at an abandoned place", a.Ref)
	}
	if across := i ^ 1; c.wasAdopted(across) && w.health(across) == Free && !c.wasAdopted(i) {
		c.fail(ruleQueues, "start of %+v, while connections wait across and nobody is there", a.Ref)
	}
	if a.Ref.Inc == 0 || w.inc >= a.Ref.Inc && c.before.holder(i) != a.Ref.Inc {
		c.fail(ruleBooks, "incarnation of %+v is not new", a.Ref)
	}
	if a.Generation != w.good && a.Generation != w.open {
		c.fail("I10", "start of generation %d, but %d is good and %d is being rolled out", a.Generation, w.good, w.open)
	}
	c.mayHave(a)
	c.follows(a)
	c.recycles(a)
	c.awaits(a)
	w.inc = max(w.inc, a.Ref.Inc)
	w.procs[i] = proc{inc: a.Ref.Inc, id: a.ID, fence: a.Fence, lead: a.Lead, generation: a.Generation, leader: true}
	w.fleet.rested[a.Ref.Slot] = false
}

// follows checks that nobody starts where the last one of the generation has ended, or maybe leaves.
func (c *checker) follows(a Start) {
	for _, i := range [...]int{index(a.Ref.Slot, A), index(a.Ref.Slot, B)} {
		p := &c.now.procs[i]
		if p.generation != a.Generation {
			continue
		}
		if p.ended != NotEnded {
			c.fail(ruleRestarts, "start of %+v, but the work of slot %d is done", a, a.Ref.Slot)
		}
		waited := c.before.holder(a.Ref.place().index()) == a.Ref.Inc // it was there before that was the question
		if p.leader && p.leaving && !p.told && !waited && c.now.spec.Restart != RestartAlways {
			c.fail(ruleRestarts, "start of %+v, but %+v may be the last one", a, c.now.ref(i))
		}
	}
}

// wasAdopted reports whether connections could wait at a place before this step.
func (c *checker) wasAdopted(i int) bool { return i < len(c.before.adopted) && c.before.adopted[i] }

func (c *checker) terminate(a Terminate) {
	ref := a.Ref
	p := c.now.proc(ref)
	if p == nil || p.killed {
		c.fail(ruleSignals, "terminate of %+v, which is not there or was killed", ref)
		return
	}
	if c.now.stopping == c.before.stopping && p.told {
		if _, term := c.ev.(TermReceived); !term {
			c.fail(ruleSignals, "%+v is told twice", ref)
		}
	}
	if _, timer := c.ev.(TimerFired); c.now.patient && p.serves() && !timer && c.cut != ref.place().index() {
		c.fail(ruleSignals, "%+v serves and is told to leave before the delay of the stop has ended", ref)
	}
	if a.Why == WhyRecycled && !p.due {
		c.fail(ruleRecycling, "%+v is recycled, and nobody asked for it", ref)
	}
	c.unsteered(ref)
	c.parts(ref, p)
	p.tell()
}

// tell enters that a process was told to leave.
func (p *proc) tell() {
	p.told, p.leaving, p.owed, p.proving, p.dump, p.fit = true, true, false, false, notAsked, isFit
}

// unsteered checks that nobody sends connections to a worker that is told to leave, unless there is nobody else.
func (c *checker) unsteered(ref Ref) {
	if !c.now.stopping && slices.Contains(c.now.steered, ref.place()) && c.now.takers() > 0 {
		c.fail(ruleSteering, "%+v is sent away while connections are steered to it", ref)
	}
}

func (c *checker) kill(ref Ref) {
	p := c.now.proc(ref)
	if p != nil && c.cut == ref.place().index() {
		c.unsteered(ref)
		p.tell()
		p.killed = true
		return
	}
	if p != nil && p.fit == isFailing && c.now.spec.Trace == 0 && !c.isForced {
		c.replaces(ref, p)
		p.tell()
		p.traced, p.killed = true, true
		return
	}
	if p == nil || (!p.leaving && !c.isForced) {
		c.fail(ruleSignals, "kill of %+v, which is not there or was not told to leave", ref)
		return
	}
	kind := GraceTimer
	if p.traced {
		kind = TraceTimer
	}
	if t, ok := c.ev.(TimerFired); !c.isForced && (!ok || t.Timer != Timer{Kind: kind, Ref: ref}) {
		c.fail(ruleSignals, "kill of %+v before its time was over", ref)
	}
	c.unsteered(ref)
	p.tell()
	p.killed = true
}

func (c *checker) relay(a Relay) {
	p, i := c.now.proc(a.Ref), a.Ref.place().index()
	if p == nil || !p.serves() || !isUp(c.now.health(i)) {
		c.fail(ruleReload, "relay to %+v, which does not serve", a.Ref)
		return
	}
	if a.Purpose == ForDump {
		if p.dump == notAsked || slices.ContainsFunc(c.now.timers, isDump) {
			c.fail(ruleDumps, "%+v is not asked, or the gap after the last dump has not ended", a.Ref)
		}
		p.dump = notAsked
		return
	}
	n := slices.Index(c.reloaded, i)
	if n < 0 {
		c.fail(ruleReload, "nobody asked %+v to reload", a.Ref)
		return
	}
	c.reloaded = slices.Delete(c.reloaded, n, n+1)
}

func isDump(t Timer) bool { return t.Kind == DumpTimer }

func (c *checker) setTimer(a SetTimer) {
	if slices.Contains(c.now.timers, a.Timer) {
		c.fail("I7", "timer %+v is set twice", a.Timer)
	}
	spec := &c.now.spec
	settle := max(spec.Settle, spec.StopDelay)
	switch {
	case c.now.parted:
		settle = spec.Settle
	case c.now.stopping:
		settle = spec.StopDelay
	}
	want := map[TimerKind]bool{
		BackoffTimer: a.After > 0 && a.After <= spec.Backoff.Max,
		ReadyTimer:   a.After == spec.ReadyTimeout && a.After > 0,
		ProvingTimer: a.After == c.proof && a.After > 0,
		SettleTimer:  a.After == settle && a.After > 0,
		GraceTimer:   a.After == spec.Grace,
		TraceTimer:   a.After == spec.Trace && a.After > 0,
		ReapTimer:    a.After == time.Second,
		DumpTimer:    a.After == spec.DumpGap,
		RecycleTimer: a.After == spec.RecycleGap && a.After > 0,
	}
	if !want[a.Timer.Kind] {
		c.fail("I7", "timer %+v is set to %v", a.Timer, a.After)
	}
	if p := c.now.proc(a.Timer.Ref); a.Timer.Kind == RecycleTimer && p != nil {
		p.tried = false
	}
	c.now.timers = append(c.now.timers, a.Timer)
}

func (c *checker) steer(a Steer) {
	for _, place := range a.Members {
		i := place.index()
		if !c.now.takes(i) && !c.isVacant(i) && !c.now.waitsForHeirs(i) {
			c.fail(ruleSteering, "steered to %v, where nobody serves", place)
		}
		if !c.now.adopted[i] {
			c.fail(ruleQueues, "steered to %v, which is abandoned", place)
		}
	}
	c.now.steered, c.now.parted = a.Members, c.now.stopping
}

// isVacant reports whether nobody takes connections, and a successor will at a place: the last one across has just been
// steered away from.
func (c *checker) isVacant(i int) bool {
	return !c.now.stopping && c.now.takers() == 0 && i/2 < c.now.wanted() && !c.now.over(i/2) &&
		c.before.takes(i^1) && c.now.health(i^1) == Settling && c.now.health(i) == Free
}

func (c *checker) bury(a Obituary) {
	if c.died == nil || *c.died != a.Ref || c.buried {
		c.fail(ruleDeaths, "obituary of %+v, who did not die now", a.Ref)
	}
	c.buried = true
	timed := slices.ContainsFunc(c.acts, func(x Action) bool {
		set, ok := x.(SetTimer)
		return ok && set.Timer.Kind == BackoffTimer && set.Timer.Ref.Slot == a.Ref.Slot && set.After == a.After
	})
	if a.Next == RestartLater && !timed && !c.waitsIn(a.Ref.Slot) {
		c.fail(ruleDeaths, "obituary %+v without a timer", a)
	}
	last := c.now.stopping || a.Ref.Slot >= c.now.wanted() || c.now.over(a.Ref.Slot)
	if last != (a.Next == NotRestarted) {
		c.fail(ruleDeaths, "obituary %+v", a)
	}
}

func (c *checker) waitsIn(slot int) bool {
	return c.before.health(index(slot, A)) == Waiting || c.before.health(index(slot, B)) == Waiting
}

func (c *checker) rolloutStarted(a RolloutStarted) {
	w := c.now
	c.begins(a.Target)
	if w.open != 0 || a.Target <= w.target || w.stopping {
		c.fail(ruleRollouts, "rollout to %d begins while %d is open and %d was the last", a.Target, w.open, w.target)
	}
	if !w.queued {
		c.fail(ruleRollouts, "nobody asked for a rollout")
	}
	w.open, w.target, w.queued, w.passed = a.Target, a.Target, false, false
	if w.prior = w.spec; w.coming.Workers > 0 {
		w.inForce(w.coming)
		w.coming = Spec{}
	}
	c.asked[ToLead] = false // it may be that nobody leads any more
}

func (c *checker) rolloutEnded(a RolloutEnded) {
	w := c.now
	c.turn = false
	if c.dropsQueued(a) {
		w.target, w.queued, w.coming = a.Target, false, Spec{}
		return
	}
	if w.open == 0 || a.Target != w.open {
		c.fail(ruleRollouts, "rollout to %d ends, but %d is open", a.Target, w.open)
	}
	if (a.Cause == StopCame) != w.stopping {
		c.fail(ruleRollouts, "rollout to %d ends because %v", a.Target, a.Cause)
	}
	if (a.Cause == Aborted) != c.aborted {
		c.fail(ruleRollouts, "rollout to %d ends because %v", a.Target, a.Cause)
	}
	failed := a.Cause == SuccessorDied || a.Cause == SuccessorLate || a.Cause == SuccessorUnfit || a.Cause == Aborted
	if failed != c.mustAbort {
		c.fail("I10", "a successor failed: %v, but the rollout to %d ends because %v", c.mustAbort, a.Target, a.Cause)
	}
	c.mustAbort = false
	switch {
	case a.Cause == RolledOut:
		w.good = a.Target
		c.through()
	case failed:
		c.wentBack = true
		for slot := range min(len(c.before.st.Slots), len(w.fails)) {
			if c.before.st.Slots[slot].Generation != w.good {
				w.fails[slot], w.fleet.rested[slot] = 0, false // those were of another generation
			}
		}
		w.inForce(w.prior)
	default:
		w.coming, w.queued = Spec{}, false
	}
	w.open, w.passed, w.prior = 0, false, Spec{}
}

// through checks that a rollout is done when it says so: every wanted slot is served by the target, which has proved
// itself or done its work, and by nothing else.
func (c *checker) through() {
	for slot := range c.now.wanted() {
		ready := 0
		for _, i := range [...]int{index(slot, A), index(slot, B)} {
			p := &c.now.procs[i]
			if p.lives() && p.generation != c.now.open {
				c.fail("I10", "rollout to %d done, but %+v is there", c.now.open, p)
			}
			if p.serves() && !p.proving || c.now.hasFinished(i) && p.generation == c.now.open {
				ready++
			}
		}
		if ready == 0 && !c.now.awaitsLead(slot) {
			c.fail("I10", "rollout to %d done, but slot %d is not served", c.now.open, slot)
		}
	}
}

func (c *checker) exit(a Exit) {
	w := c.now
	w.exited = true
	for i := range w.procs {
		p := &w.procs[i]
		if p.lives() && a.Code == 0 {
			c.fail("I4", "exit 0 with %+v not reaped", w.ref(i))
		}
		if p.lives() && !p.killed {
			c.fail("I5", "exit, and %+v was not killed", w.ref(i))
		}
	}
	if a.Code == 0 && len(w.fleet.held) > 0 {
		c.fail(ruleClaims, "exit, and %+v was not given back", w.fleet.held)
	}
	if w.stopping {
		if (a.Code == 0) == w.failed {
			c.fail("I4", "exit %d", a.Code)
		}
		return
	}
	if code, done := w.isDone(); !done || a.Code != code {
		c.fail(ruleRestarts, "exit %d, and the work is done: %v, with %d", a.Code, done, code)
	}
}
