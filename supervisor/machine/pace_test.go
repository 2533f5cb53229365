package machine

// The environment's books of turns at rollouts.

func byTurns(s *Spec) bool { return s.Turns && s.Claims }

// turns counts the turns that the pool has, and will not lose.
func (f *fleet) turns() int {
	n := 0
	for _, h := range f.held {
		if h.Right == ToRoll && !h.Lapsing {
			n++
		}
	}
	return n
}

// awaited is how many claims of a kind were asked for that have not come.
func (w *world) awaited(right Right) int { return w.fleet.asks[right] - w.fleet.extra[right] }

// next is the specification that the queued rollout begins with.
func (w *world) next() *Spec {
	if w.coming.Workers > 0 {
		return &w.coming
	}
	return &w.spec
}

// begins checks that a rollout that goes by turns begins with one, and not with that of the rollout before it.
func (c *checker) begins(target uint64) {
	if byTurns(c.now.next()) && !c.turn {
		c.fail(ruleTurns, "the rollout to %d begins out of turn", target)
	}
}

// dropsQueued reports whether a rollout ends that was queued: because it was aborted, or because the pool stops.
func (c *checker) dropsQueued(a RolloutEnded) bool {
	w := c.now
	drops := w.open == 0 && w.queued && a.Target == w.target+1
	return drops && (a.Cause == Aborted && c.aborted || a.Cause == StopCame && w.stopping)
}

// turns checks that slots get the target of a rollout in turn only, that a rollout waits for nothing but its turn, and that a
// turn is asked for where one is missing, and only there.
func (c *checker) turns() {
	w := c.now
	for i := range min(w.wanted(), len(w.st.Slots)) {
		had := i < len(c.before.st.Slots) && c.before.st.Slots[i].Generation == w.open
		if w.open != 0 && byTurns(&w.spec) && !c.turn && !had && w.st.Slots[i].Generation == w.open {
			c.fail(ruleTurns, "slot %d goes on to %d out of turn", i, w.open)
		}
	}
	waits := w.open == 0 && w.queued
	if waits && (!byTurns(w.next()) || c.turn) {
		c.fail(ruleRollouts, "no rollout begins")
	}
	wants := 0
	if waits || w.open != 0 && byTurns(&w.spec) && w.fleet.turns() == 0 {
		wants = 1
	}
	if n := w.awaited(ToRoll); n != wants {
		c.fail(ruleTurns, "%d turns are asked for, and %d are missing", n, wants)
	}
}
