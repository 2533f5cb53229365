package plan

import (
	"fmt"
	"slices"
	"testing"
)

// TestProgressOfSmallPlans goes every way through every plan of up to four changes: whatever comes to its end first, and
// whenever something fails.
func TestProgressOfSmallPlans(t *testing.T) {
	plans, states := 0, 0
	for n := range 5 {
		eachGraph(n, func(needs [][]int) {
			// What is kept needs nobody, and nobody needs it.
			for kept := range 1 << n {
				if p := planOf(needs, kept); p != nil {
					plans++
					states += explore(t, p)
				}
			}
		})
	}
	t.Logf("%d plans, %d states", plans, states)
	if plans < 700 {
		t.Errorf("only %d plans", plans)
	}
}

// eachGraph calls do with every way in which n changes can need each other, without circles.
func eachGraph(n int, do func(needs [][]int)) {
	for bits := range 1 << (n * n) {
		p := &Plan{Changes: make([]Change, n)}
		needs, itself := make([][]int, n), false
		for i := range n {
			for j := range n {
				if bits>>(i*n+j)&1 == 1 {
					needs[i] = append(needs[i], j)
					itself = itself || i == j
				}
			}
			p.Changes[i].Needs = needs[i]
		}
		if !itself && p.circle() == nil {
			do(needs)
		}
	}
}

func planOf(needs [][]int, kept int) *Plan {
	p := &Plan{}
	for i := range needs {
		c := Change{Kind: Rolled, Pool: fmt.Sprint(i), Needs: needs[i]}
		if kept>>i&1 == 1 {
			c.Kind = Kept
		}
		p.Changes = append(p.Changes, c)
		for _, j := range needs[i] {
			if (kept>>i|kept>>j)&1 == 1 {
				return nil
			}
		}
	}
	return p
}

// books are kept of a transaction by what was ordered and reported, not by what it says of itself.
type books struct {
	begun, done, undoing, undone []bool
	failed                       bool
}

func (b *books) clone() *books {
	return &books{
		begun: slices.Clone(b.begun), done: slices.Clone(b.done),
		undoing: slices.Clone(b.undoing), undone: slices.Clone(b.undone),
		failed: b.failed,
	}
}

func (g *Progress) clone() *Progress {
	return &Progress{plan: g.plan, phase: g.phase, at: slices.Clone(g.at)}
}

// explore goes every way through one plan and returns how many states it has.
func explore(t *testing.T, p *Plan) int {
	t.Helper()
	n := len(p.Changes)
	seen := map[string]bool{}
	var visit func(g *Progress, b *books)
	visit = func(g *Progress, b *books) {
		take(t, p, g, b)
		key := fmt.Sprint(g.phase, g.at)
		if seen[key] {
			return
		}
		seen[key] = true
		open := 0
		for i := range n {
			if g.Waits(i, false) {
				open++
				next, after := g.clone(), b.clone()
				next.Done(i)
				after.done[i] = true
				visit(next, after)
			}
			if g.Waits(i, true) {
				open++
				next, after := g.clone(), b.clone()
				next.Undone(i)
				after.undone[i] = true
				visit(next, after)
			}
			repeat(t, g, i)
		}
		atEnd(t, p, g, b, open)
		next, after := g.clone(), b.clone()
		if failed := next.Fail(); failed != (g.phase == Applying) {
			t.Fatalf("%v: failing in phase %d: %t", p.Changes, g.phase, failed)
		} else if failed {
			after.failed = true
			visit(next, after)
		}
	}
	none := func() []bool { return make([]bool, n) }
	visit(p.Begin(), &books{begun: none(), done: none(), undoing: none(), undone: none()})
	return len(seen)
}

// take carries out what is ordered, and checks that it may be.
func take(t *testing.T, p *Plan, g *Progress, b *books) {
	t.Helper()
	for _, o := range g.Next() {
		i := o.Change
		switch {
		case p.Changes[i].Kind == Kept:
			t.Fatalf("%v: %+v of what is kept", p.Changes, o)
		case !o.Undo && (b.failed || b.begun[i]):
			t.Fatalf("%v: %d begins after a failure, or twice", p.Changes, i)
		case !o.Undo && slices.ContainsFunc(p.Changes[i].Needs, func(j int) bool { return !b.done[j] }):
			t.Fatalf("%v: %d begins before what it needs is done", p.Changes, i)
		case o.Undo && (!b.failed || !b.begun[i] || b.undoing[i]):
			t.Fatalf("%v: %d is taken back without need, or twice", p.Changes, i)
		}
		if o.Undo {
			for j := range p.Changes {
				if b.begun[j] && !b.undone[j] && slices.Contains(p.Changes[j].Needs, i) {
					t.Fatalf("%v: %d is taken back before %d, which needs it", p.Changes, i, j)
				}
			}
			b.undoing[i] = true
			continue
		}
		b.begun[i] = true
	}
	if again := g.Next(); len(again) > 0 {
		t.Fatalf("%v: ordered twice: %v", p.Changes, again)
	}
}

// repeat tells a transaction what it has not asked for, or knows.
func repeat(t *testing.T, g *Progress, i int) {
	t.Helper()
	if !g.Waits(i, false) {
		same := g.clone()
		same.Done(i)
		checkSame(t, g, same)
	}
	if !g.Waits(i, true) {
		same := g.clone()
		same.Undone(i)
		checkSame(t, g, same)
	}
}

func checkSame(t *testing.T, g, same *Progress) {
	t.Helper()
	if same.phase != g.phase || !slices.Equal(same.at, g.at) {
		t.Fatalf("%v: late news changes %+v to %+v", g.plan.Changes, g, same)
	}
}

// atEnd checks that a transaction with nothing under way is at its end, and at the right one.
func atEnd(t *testing.T, p *Plan, g *Progress, b *books, open int) {
	t.Helper()
	if over := g.phase == Applied || g.phase == Reverted; over != (open == 0) {
		t.Fatalf("%v: in phase %d with %d changes under way: %+v", p.Changes, g.phase, open, g)
	}
	if open > 0 {
		return
	}
	if (g.phase == Reverted) != b.failed {
		t.Fatalf("%v: ended in phase %d", p.Changes, g.phase)
	}
	for i := range p.Changes {
		switch {
		case p.Changes[i].Kind == Kept:
		case b.failed && b.begun[i] && !b.undone[i]:
			t.Fatalf("%v: %d was not taken back", p.Changes, i)
		case !b.failed && !b.done[i]:
			t.Fatalf("%v: %d was not done", p.Changes, i)
		}
	}
}

// In a chain there is one order, and one way back.
func TestProgressOfAChain(t *testing.T) {
	p := planOf([][]int{{1}, {2}, {}}, 0)
	g := p.Begin()
	var trail []string
	follow := func(undo bool) {
		for orders := g.Next(); len(orders) > 0; orders = g.Next() {
			for _, o := range orders {
				trail = append(trail, fmt.Sprint(o.Change, o.Undo))
				if undo {
					g.Undone(o.Change)
				} else if o.Change != 0 {
					g.Done(o.Change)
				}
			}
		}
	}
	follow(false)
	g.Fail()
	follow(true)
	want := []string{"2 false", "1 false", "0 false", "0 true", "1 true", "2 true"}
	if !slices.Equal(trail, want) || g.Phase() != Reverted {
		t.Errorf("%v, want %v; phase %d", trail, want, g.Phase())
	}
}

// What is done while it has failed already goes back like the rest.
func TestWhatIsDoneAfterTheFailureGoesBack(t *testing.T) {
	g := planOf([][]int{{}, {}}, 0).Begin()
	g.Next()
	g.Fail()
	g.Done(0)
	if got := fmt.Sprint(g.Next()); got != "[{0 true} {1 true}]" {
		t.Errorf("orders: %s", got)
	}
	g.Done(1)
	g.Undone(0)
	if g.Undone(1); g.Phase() != Reverted {
		t.Errorf("phase %d", g.Phase())
	}
}
