package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind is what a reload does to a pool.
type Kind uint8

// The kinds of change, from the least to the most.
const (
	Kept     Kind = iota // nothing changed
	Adjusted             // what is new concerns later events alone
	Scaled               // another number of workers
	Rolled               // every worker is replaced
	Added
	Removed
)

// String is the word for logs, plans and documents.
func (k Kind) String() string {
	return [...]string{"kept", "adjusted", "scaled", "rolled", "added", "removed"}[k]
}

// Change is what a plan does to one pool.
type Change struct {
	Kind     Kind
	Pool     string
	From, To *Pool    // nil before it was added, and after it was removed
	Workers  int      // how many there are before the change, as of now
	Reasons  []string // what differs, in the words of the configuration
	Needs    []int    // indexes of the changes that must be done before this one begins
}

// ListenerChange is what a plan does to one listener.
type ListenerChange struct {
	Kind     Kind // Kept, Adjusted, Added or Removed
	Name     string
	Address  string
	Reasons  []string
	From, To int // indexes in the old and the new description; -1 if it is not there
}

// Plan is the way from one description to another.
type Plan struct {
	Old, New  Desired
	Changes   []Change // of the pools: those of New in their order, then those that are removed
	Listeners []ListenerChange
	Fixed     []string // keys of Desired.Fixed that differ
}

// Now is what Compare has to know of a pool that runs.
type Now struct {
	Workers  int  // may differ from the description: somebody scaled it
	Replaced bool // another file lies where its executable was found
	Ended    bool // it has ended by itself, and is to be started again
}

// ErrOrder means that a plan cannot be brought into an order.
var ErrOrder = errors.New("cannot be applied in one reload")

// Compare makes the plan. now has the pools of the old description that run; without it they are taken to run as
// described. A pool whose number of workers follows its load keeps the number it has, within its bounds: the plan's New
// says so. The error wraps ErrOrder.
func Compare(before, after Desired, now map[string]Now) (*Plan, error) {
	after = kept(before, after, now)
	p := &Plan{Old: before, New: after, Fixed: unequalKeys(before.Fixed, after.Fixed)}
	if err := p.compareListeners(); err != nil {
		return nil, err
	}
	for i := range after.Pools {
		p.Changes = append(p.Changes, p.compare(before.Pool(after.Pools[i].Name), &after.Pools[i], now))
	}
	for i := range before.Pools {
		if from := &before.Pools[i]; after.Pool(from.Name) == nil {
			p.Changes = append(p.Changes, Change{Kind: Removed, Pool: from.Name, From: from, Workers: workersOf(from, now)})
		}
	}
	if err := p.order(); err != nil {
		return nil, err
	}
	return p, nil
}

// kept is the new description with the numbers of workers that it leaves to the load as they are now.
func kept(before, after Desired, now map[string]Now) Desired {
	after.Pools = slices.Clone(after.Pools)
	for i := range after.Pools {
		to := &after.Pools[i]
		if from := before.Pool(to.Name); from != nil && !now[to.Name].Ended && to.Autoscale.Max > 0 {
			to.Spec.Workers = to.Autoscale.Clamp(workersOf(from, now))
		}
	}
	return after
}

func workersOf(p *Pool, now map[string]Now) int {
	if n, ok := now[p.Name]; ok {
		return n.Workers
	}
	return p.Spec.Workers
}

func (p *Plan) compare(from, to *Pool, now map[string]Now) Change {
	c := Change{Pool: to.Name, From: from, To: to}
	if from == nil || now[to.Name].Ended {
		c.Kind, c.From = Added, nil
		if from != nil {
			c.Reasons = []string{"it had ended"}
		}
		return c
	}
	c.Workers = workersOf(from, now)
	rolls := p.differences(from, to)
	if now[to.Name].Replaced {
		rolls = append(rolls, "executable replaced")
	}
	adjusts := adjustments(from, to)
	scaled := c.Workers != to.Spec.Workers
	switch {
	case len(rolls) > 0:
		c.Kind, c.Reasons = Rolled, append(rolls, adjusts...)
	case scaled:
		c.Kind, c.Reasons = Scaled, adjusts
	case len(adjusts) > 0:
		c.Kind, c.Reasons = Adjusted, adjusts
	}
	return c
}

// Empty reports whether nothing changes.
func (p *Plan) Empty() bool {
	return len(p.Fixed) == 0 && !slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Kind != Kept }) &&
		!slices.ContainsFunc(p.Listeners, func(l ListenerChange) bool { return l.Kind != Kept })
}

// String is the change in one line: "web: rolled (command, env PORT), 2 -> 4 workers".
func (c *Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", c.Pool, c.Kind)
	if len(c.Reasons) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(c.Reasons, ", "))
	}
	switch {
	case c.Kind == Added:
		b.WriteString(", " + workers(c.To.Spec.Workers))
	case c.Kind == Removed:
		b.WriteString(", " + workers(c.Workers))
	case c.Workers != c.To.Spec.Workers:
		fmt.Fprintf(&b, ", %d -> %s", c.Workers, workers(c.To.Spec.Workers))
	}
	return b.String()
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}
