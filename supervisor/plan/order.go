package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// order finds out what each change needs done before it.
func (p *Plan) order() error {
	for i := range p.Changes {
		for j := range p.Changes {
			if i != j && p.needs(&p.Changes[i], &p.Changes[j]) {
				p.Changes[i].Needs = append(p.Changes[i].Needs, j)
			}
		}
	}
	if circle := p.circle(); circle != nil {
		return fmt.Errorf("pools %s each take what another one still has, which %w: let go of it in one reload and take it in the next",
			strings.Join(circle, ", "), ErrOrder)
	}
	p.removeLast()
	return nil
}

// needs reports whether change c can only begin when d is done.
func (p *Plan) needs(c, d *Change) bool {
	switch {
	case c.Kind == Kept || d.Kind == Kept:
		return false
	case c.To != nil && d.From != nil && p.Takes(c, d):
		return true
	case c.Kind == Removed && d.Kind == Removed:
		return slices.Contains(d.From.After, c.Pool) // it stops before those that it came after
	case c.Kind == Removed:
		return false // see removeLast
	case d.Kind == Removed:
		return false
	}
	return slices.Contains(c.To.After, d.Pool)
}

// Takes reports whether c wants something that the pool of d has before the plan, and that two pools cannot have at once.
func (p *Plan) Takes(c, d *Change) bool {
	for _, name := range c.To.Listen {
		l := p.New.Listener(name)
		if l == nil || !Exclusive(l) {
			continue
		}
		for _, held := range p.sockets(&p.Old, d.From) {
			if held.key == KeyOf(l) {
				return true
			}
		}
	}
	return ranged(c.To) && ranged(d.From) && c.To.Spec.FirstID <= d.From.Spec.LastID && d.From.Spec.FirstID <= c.To.Spec.LastID
}

// ranged reports whether a pool was given its worker ids by the user. Without that ids are told apart by their pool.
func ranged(p *Pool) bool { return p.Spec.LastID < math.MaxInt32 }

// circle returns the pools of a circle of needs, nil if there is none.
func (p *Plan) circle() []string {
	done := make([]bool, len(p.Changes))
	for progress := true; progress; {
		progress = false
		for i := range p.Changes {
			if !done[i] && !slices.ContainsFunc(p.Changes[i].Needs, func(j int) bool { return !done[j] }) {
				done[i], progress = true, true
			}
		}
	}
	var stuck []string
	for i := range p.Changes {
		if !done[i] {
			stuck = append(stuck, p.Changes[i].Pool)
		}
	}
	return stuck
}

// removeLast lets every removal wait for all other changes, but for those that wait for it: what has not been stopped
// need not be started again when something fails.
func (p *Plan) removeLast() {
	for i := range p.Changes {
		if p.Changes[i].Kind != Removed {
			continue
		}
		for j := range p.Changes {
			if d := &p.Changes[j]; d.Kind != Removed && d.Kind != Kept && !p.reaches(j, i) {
				p.Changes[i].Needs = append(p.Changes[i].Needs, j)
			}
		}
	}
}

// reaches reports whether change i needs change j, maybe by way of others.
func (p *Plan) reaches(i, j int) bool {
	return slices.ContainsFunc(p.Changes[i].Needs, func(k int) bool { return k == j || p.reaches(k, j) })
}
