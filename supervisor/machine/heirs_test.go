package machine

import "slices"

// waitsForHeirs reports whether connections may be steered to a place while the pool stops: nobody is there, and others
// will come.
func (w *world) waitsForHeirs(i int) bool {
	return w.stopping && w.heirs && i/2 < w.wanted() && !w.procs[i].lives()
}

// hasVacancy reports whether there is such a place.
func (w *world) hasVacancy() bool {
	for i := range w.procs {
		if w.waitsForHeirs(i) {
			return true
		}
	}
	return false
}

// parts checks that who serves is told to leave by a pool with heirs only when connections have been steered away from it, for
// the time to settle.
func (c *checker) parts(ref Ref, p *proc) {
	place := ref.place()
	if !c.now.stopping || !p.serves() || c.cut == place.index() || !c.now.hasVacancy() {
		return
	}
	if slices.Contains(c.now.steered, place) {
		c.fail(ruleSteering, "%+v is sent away while connections are steered to it, and others will come", ref)
	}
	_, hurried := c.ev.(TermReceived)
	if slices.Contains(c.before.steered, place) && c.now.spec.Settle > 0 && !hurried {
		c.fail(ruleSteering, "%+v is sent away at once when it is steered away from", ref)
	}
}

// left checks that everything waits that comes to the queues of a pool with heirs.
func (c *checker) left() {
	for i := range 2 * len(c.now.st.Slots) {
		if c.now.heirs && !c.now.adopted[i] {
			c.fail(ruleQueues, "the queue of %v is abandoned, and others will come", at(i))
		}
	}
}
