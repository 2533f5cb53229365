package plan

import "slices"

// Phase is where a transaction is.
type Phase uint8

// The phases of a transaction.
const (
	Applying  Phase = iota
	Reverting       // something failed: what was changed goes back
	Applied
	Reverted
)

// standing is where one change is.
type standing uint8

const (
	pending standing = iota
	begun
	done
	undoing
	undone
)

// Order is something that is to be done now.
type Order struct {
	Change int  // index in the plan
	Undo   bool // take it back, whether it was done or had only begun
}

// Progress is a transaction under way.
type Progress struct {
	plan  *Plan
	phase Phase
	at    []standing
}

// Begin starts the transaction of a plan. What is Kept is done already.
func (p *Plan) Begin() *Progress {
	g := &Progress{plan: p, at: make([]standing, len(p.Changes))}
	for i := range p.Changes {
		if p.Changes[i].Kind == Kept {
			g.at[i] = done
		}
	}
	g.conclude()
	return g
}

// Phase returns where the transaction is.
func (g *Progress) Phase() Phase { return g.phase }

// Next returns the orders that are due. Each is given once.
func (g *Progress) Next() []Order {
	var due []Order
	for i := range g.at {
		switch {
		case g.phase == Applying && g.at[i] == pending && g.met(i):
			g.at[i] = begun
			due = append(due, Order{Change: i})
		case g.phase == Reverting && (g.at[i] == begun || g.at[i] == done) && g.isFree(i):
			g.at[i] = undoing
			due = append(due, Order{Change: i, Undo: true})
		}
	}
	return due
}

// met reports whether everything that a change needs is done.
func (g *Progress) met(i int) bool {
	return !slices.ContainsFunc(g.plan.Changes[i].Needs, func(j int) bool { return g.at[j] != done })
}

// isFree reports whether nothing that was changed needs this change any more.
func (g *Progress) isFree(i int) bool {
	if g.plan.Changes[i].Kind == Kept {
		return false
	}
	for j := range g.at {
		if back := g.at[j] == pending || g.at[j] == undone; !back && slices.Contains(g.plan.Changes[j].Needs, i) {
			return false
		}
	}
	return true
}

// Waits reports whether a change, or with undo its taking back, was ordered and has not come to its end.
func (g *Progress) Waits(i int, undo bool) bool {
	if undo {
		return g.at[i] == undoing
	}
	return g.at[i] == begun
}

// Done reports that a change has come to its end. One that is being taken back does not count.
func (g *Progress) Done(i int) {
	if g.at[i] == begun {
		g.at[i] = done
		g.conclude()
	}
}

// Fail turns the transaction back. It reports whether it was still applying.
func (g *Progress) Fail() bool {
	if g.phase != Applying {
		return false
	}
	g.phase = Reverting
	g.conclude()
	return true
}

// Undone reports that a change has been taken back.
func (g *Progress) Undone(i int) {
	if g.at[i] == undoing {
		g.at[i] = undone
		g.conclude()
	}
}

// conclude ends the transaction when nothing is left to be done or taken back.
func (g *Progress) conclude() {
	left := func(i int) bool {
		if g.plan.Changes[i].Kind == Kept {
			return false
		}
		if g.phase == Applying {
			return g.at[i] != done
		}
		return g.at[i] != pending && g.at[i] != undone
	}
	for i := range g.at {
		if left(i) {
			return
		}
	}
	switch g.phase {
	case Applying:
		g.phase = Applied
	case Reverting:
		g.phase = Reverted
	case Applied, Reverted:
	}
}
