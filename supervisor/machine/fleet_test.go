package machine

import "slices"

// fleet is the environment's truth about claims: what this pool has, and what it waits for.
type fleet struct {
	held   []Holding   // given, and neither given back nor lost
	asks   [rights]int // asked for, and neither answered nor taken back
	extra  [rights]int // of those, as many as were answered by a claim that was on its way when it was taken back
	strays [rights]bool
	fence  uint64 // the highest ever given
	rested []bool // by slot: its backoff has ended, and nobody has started or failed since
}

func (f *fleet) clone() fleet {
	c := *f
	c.held, c.rested = slices.Clone(f.held), slices.Clone(f.rested)
	return c
}

func (f *fleet) find(claim Claim) int {
	return slices.IndexFunc(f.held, func(h Holding) bool { return h.Claim == claim })
}

// claimNews is what may happen to claims.
func (w *world) claimNews(can func(happening)) {
	if !w.spec.Claims {
		return
	}
	f := &w.fleet
	for right := range rights {
		first, second, n := w.free(right)
		if n > 0 && f.asks[right] > 0 {
			can(happening{ev: Claimed{Claim: first}, helps: right != ToLead}) // another supervisor may have the leader for ever
		}
		if n > 1 && f.asks[right] > 0 {
			can(happening{ev: Claimed{Claim: second}, spend: others}) // somebody else had the first one
		}
		if n > 0 && f.strays[right] {
			can(happening{ev: Claimed{Claim: first}, spend: strays})
		}
	}
	for _, h := range f.held {
		if !h.Lapsing {
			can(happening{ev: Lapses{Claim: h.Claim}, spend: losses})
		}
		can(happening{ev: Lost{Claim: h.Claim}, spend: losses})
		can(happening{ev: Claimed{Claim: h.Claim}, late: true})
		was := h.Claim
		was.Fence = long
		can(happening{ev: Lapses{Claim: was}, late: true})
		can(happening{ev: Lost{Claim: was}, late: true})
	}
	if w.keeper() != (Claim{}) {
		can(happening{ev: Claimed{Claim: w.keeper(), Again: true}, spend: others})
	}
	can(happening{ev: Lost{Claim: Claim{ID: w.spec.FirstID, Fence: long}}, late: true})
	can(happening{ev: Lapses{Claim: Claim{Right: ToLead, Fence: long}}, late: true})
}

// free are the two lowest claims of a kind that can be given.
func (w *world) free(right Right) (first, second Claim, n int) {
	last := w.spec.LastID
	from := w.spec.FirstID
	switch right { //nolint:exhaustive // the others are for the worker ids
	case ToLead:
		from, last = 0, 0
	case ToRoll:
		from, last = 0, 1
	}
	for id := from; id <= last && n < 2; id++ {
		taken := slices.ContainsFunc(w.fleet.held, func(h Holding) bool { return h.Right == right && h.ID == id })
		if taken {
			continue
		}
		if n++; n == 1 {
			first = Claim{Right: right, ID: id, Fence: w.fleet.fence + 1}
		} else {
			second = Claim{Right: right, ID: id, Fence: w.fleet.fence + 1}
		}
	}
	return first, second, n
}

// keeper is a claim to the worker id of somebody who serves on without one.
func (w *world) keeper() Claim {
	for i := range w.procs {
		p := &w.procs[i]
		if p.lives() && !slices.ContainsFunc(w.fleet.held, func(h Holding) bool { return h.Right == ToID && h.ID == p.id }) {
			return Claim{ID: p.id, Fence: w.fleet.fence + 1}
		}
	}
	return Claim{}
}

// comes enters a claim that is given: as an answer, or although nobody asks any more.
func (f *fleet) comes(e Claimed) {
	right := e.Claim.Right
	f.fence = max(f.fence, e.Claim.Fence)
	f.held = append(f.held, Holding{Claim: e.Claim})
	slices.SortFunc(f.held, func(a, b Holding) int { return 1000*(int(a.Right)-int(b.Right)) + a.ID - b.ID })
	switch {
	case e.Again:
	case f.strays[right]:
		f.strays[right] = false
		f.extra[right] = min(f.extra[right]+1, f.asks[right])
	default:
		f.asks[right]--
		f.extra[right] = min(f.extra[right], f.asks[right])
	}
}

func (c *checker) unask(a Unask) {
	f := &c.now.fleet
	if f.asks[a.Right] -= a.Count; f.asks[a.Right] < f.extra[a.Right] {
		c.fail(ruleClaims, "%d are taken back, and not so many were asked for", a.Count)
	}
	f.strays[a.Right] = true
	if c.asked[a.Right] && a.Right == ToLead {
		c.fail(ruleClaims, "%+v, and somebody stood by for a moment", a)
	}
}

// release checks that nobody uses what is given back.
func (c *checker) release(claim Claim) {
	w := c.now
	n := w.fleet.find(claim)
	if n < 0 {
		c.fail(ruleClaims, "%+v is given back, and was not held", claim)
		return
	}
	for i := range w.procs {
		if w.procs[i].uses(claim) {
			c.fail("I1", "%+v is given back, and %+v has it", claim, w.ref(i))
		}
	}
	if claim.Right == ToRoll && w.open != 0 && byTurns(&w.spec) && !w.fleet.held[n].Lapsing && w.fleet.turns() == 1 {
		c.fail(ruleTurns, "%+v is given back, and the rollout to %d goes on", claim, w.open)
	}
	w.fleet.held = slices.Delete(w.fleet.held, n, n+1)
}

// uses reports whether a process lives by the right of a claim.
func (p *proc) uses(claim Claim) bool {
	switch claim.Right {
	case ToID:
		return p.lives() && p.id == claim.ID
	case ToLead:
		return p.lives() && p.lead == claim.Fence
	case ToRoll, rights:
	}
	return false
}

func (p *proc) isAs(v Worker) bool { return p.id == v.ID && p.fence == v.Fence && p.lead == v.Lead }

// userOf is the place of who uses a claim, -1 if nobody does.
func (w *world) userOf(claim Claim) int {
	return slices.IndexFunc(w.procs, func(p proc) bool { return p.uses(claim) })
}

func (c *checker) lapses(claim Claim) {
	f := &c.now.fleet
	user := c.now.userOf(claim)
	if user >= 0 && claim.Right == ToID && c.now.spec.KeepIDs {
		return
	}
	f.held[f.find(claim)].Lapsing = true
	c.cut = user
	c.cuts(user)
}

func (c *checker) lost(claim Claim) {
	f := &c.now.fleet
	n := f.find(claim)
	f.held = slices.Delete(f.held, n, n+1)
	c.cut = c.now.userOf(claim)
	c.cuts(c.cut)
}

// cuts enters that a process has to go because of a claim. If it was to succeed one that is recycled, another one may at once.
func (c *checker) cuts(i int) {
	if i >= 0 {
		c.now.procs[i^1].tried = false
	}
}

// mayHave checks that nobody starts without the claims that it needs.
func (c *checker) mayHave(a Start) {
	if !c.now.spec.Claims {
		if a.Fence != 0 || a.Lead != 0 {
			c.fail(ruleClaims, "%+v has claims, and there are none", a)
		}
		return
	}
	has := func(claim Claim) bool {
		n := c.now.fleet.find(claim)
		return n >= 0 && !c.now.fleet.held[n].Lapsing
	}
	if !has(Claim{Right: ToID, ID: a.ID, Fence: a.Fence}) {
		c.fail("I1", "start of %+v without a claim to its worker id", a)
	}
	if leads := c.now.spec.Leader && a.Ref.Slot == 0; leads != (a.Lead != 0) || leads && !has(Claim{Right: ToLead, Fence: a.Lead}) {
		c.fail("I1", "start of %+v without a claim to lead, or with one in vain", a)
	}
	i := a.Ref.place().index()
	if i < len(c.before.procs) && a.Lead != 0 && (c.before.procs[i].lead == a.Lead || c.before.procs[i^1].lead == a.Lead) {
		c.fail(ruleClaims, "%+v leads with the claim of the one before it", a)
	}
	if spare, deserted := c.now.spareIDs(), c.empty(); c.now.procs[i^1].lives() && spare <= deserted {
		c.fail(ruleClaims, "%+v takes one of %d worker ids, and %d slots have nobody", a, spare, deserted)
	}
}

// spareIDs counts the worker ids that are held, and that nobody has.
func (w *world) spareIDs() int {
	n := 0
	for _, h := range w.fleet.held {
		if h.Right == ToID && !h.Lapsing && h.ID >= w.spec.FirstID && h.ID <= w.spec.LastID && w.userOf(h.Claim) < 0 {
			n++
		}
	}
	return n
}

// empty counts the wanted slots that have nobody, and were to have somebody before this step as they are after it.
func (c *checker) empty() int {
	w, n := c.now, 0
	for slot := range min(w.wanted(), len(w.st.Slots)) {
		if !w.procs[index(slot, A)].lives() && !w.procs[index(slot, B)].lives() && !w.over(slot) && !w.overIn(slot, c.generationOf(slot)) {
			n++
		}
	}
	return n
}

// hadRested reports whether the backoff of a slot had ended before it got its worker.
func (c *checker) hadRested(slot int) bool {
	t, ok := c.ev.(TimerFired)
	again := slot < len(c.before.fails) && c.now.fails[slot] > c.before.fails[slot] // that rest was for less
	return slot < len(c.before.fleet.rested) && c.before.fleet.rested[slot] && !again ||
		ok && c.before.spec.Claims && t.Timer.Kind == BackoffTimer && t.Timer.Ref.Slot == slot
}

// standsBy reports whether a slot is a leader's that another supervisor has, or will have: everything else is there.
func (w *world) standsBy(slot int) bool {
	return w.awaitsLead(slot) && w.health(0) == Free && w.health(1) == Free
}

// awaitsLead reports the same in the middle of a step, whose next decision may be that somebody starts there after all.
func (w *world) awaitsLead(slot int) bool {
	return slot == 0 && w.spec.Claims && w.spec.Leader && w.awaited(ToLead) > 0 &&
		!w.procs[0].lives() && !w.procs[1].lives()
}

// entitled checks that who has lost a claim is ended, and that no more is held or asked for than is needed.
func (c *checker) entitled() {
	w := c.now
	if !w.spec.Claims {
		if len(w.st.Held) > 0 || w.st.Asked != [rights]int{} {
			c.fail(ruleClaims, "%+v is held, and nothing is claimed", w.st.Held)
		}
		return
	}
	if c.cut >= 0 {
		_, isLost := c.ev.(Lost)
		keeps := isLost && c.ev.(Lost).Claim.Right == ToID && w.spec.KeepIDs
		if p := &w.procs[c.cut]; p.lives() && !keeps && (!p.told && !p.traced || isLost && !p.killed) {
			c.fail("I1", "%v goes on, and others may have what it has", at(c.cut))
		}
		if p := &w.procs[c.cut]; keeps && p.killed && !c.before.procs[c.cut].killed {
			c.fail(ruleClaims, "%v is killed, and was to keep its id", at(c.cut))
		}
	}
	if !slices.Equal(w.fleet.held, w.st.Held) {
		c.fail(ruleBooks, "held is %+v, not %+v", w.fleet.held, w.st.Held)
	}
	spare := 0
	for _, h := range w.fleet.held {
		switch used := w.userOf(h.Claim) >= 0; {
		case used:
		case h.Right == ToRoll && !h.Lapsing && w.open != 0 && byTurns(&w.spec) && w.fleet.turns() == 1:
		case h.Right != ToID || h.Lapsing || w.stopping || h.ID < w.spec.FirstID || h.ID > w.spec.LastID:
			c.fail(ruleClaims, "%+v is held, and nobody uses it", h)
		default:
			spare++
		}
	}
	asks := w.awaited(ToID)
	if asks != w.st.Asked[ToID] || w.awaited(ToLead) != w.st.Asked[ToLead] || w.awaited(ToRoll) != w.st.Asked[ToRoll] || w.st.Asked[ToLead] > 1 {
		c.fail(ruleBooks, "asked for is %v, less %v, not %v", w.fleet.asks, w.fleet.extra, w.st.Asked)
	}
	if w.stopping && w.st.Asked != [rights]int{} {
		c.fail(ruleClaims, "the pool stops and asks for %v", w.st.Asked)
	}
	if room := max(0, w.wanted()+surgeOf(&w.spec)-w.living(w.wanted())); spare+asks > room {
		c.fail(ruleClaims, "%d worker ids are held for nobody and %d asked for, and there is room for %d", spare, asks, room)
	}
	if asks > 0 && spare > 0 && w.open == 0 && w.quiet() {
		c.fail(ruleClaims, "%d are asked for, and %d are held for nobody", asks, spare)
	}
}

// quiet reports whether no slot waits for anything but a claim.
func (w *world) quiet() bool { return len(w.timers) == 0 && !w.standsBy(0) }

// renumberFences names fences by their order of appearance, as incarnations are.
func (w *world) renumberFences() {
	if !w.spec.Claims {
		return
	}
	known := make([]uint64, 0, 8)
	name := func(fence *uint64) {
		if *fence == 0 {
			return
		}
		n := slices.Index(known, *fence)
		if n < 0 {
			n = len(known)
			known = append(known, *fence)
		}
		*fence = uint64(long + 1 + n)
	}
	w.st.Held = slices.Clone(w.st.Held)
	for i := range w.st.Held {
		name(&w.st.Held[i].Fence)
		name(&w.fleet.held[i].Fence) // they are the same
	}
	for i := range w.st.Slots {
		for side := range w.st.Slots[i].Workers {
			v := &w.st.Slots[i].Workers[side]
			name(&v.Fence)
			name(&v.Lead)
		}
	}
	for i := range w.procs {
		name(&w.procs[i].fence)
		name(&w.procs[i].lead)
	}
	w.fleet.fence = uint64(long + len(known))
}
