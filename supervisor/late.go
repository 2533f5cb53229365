package supervisor

import (
	"slices"

	"github.com/broodctl/brood/supervisor/plan"
)

// errandState is how far a change is with what it needs beforehand.
type errandState uint8

const (
	notBegun errandState = iota
	underWay
	seenTo
)

// comesLate reports whether what a rolled pool requires cannot be checked before other changes are through: it comes
// after pools that the same reload adds or rolls, which may be what it requires.
func comesLate(p *plan.Plan, c *plan.Change) bool {
	return c.Kind == plan.Rolled && slices.ContainsFunc(c.Needs, func(j int) bool {
		d := &p.Changes[j]
		return (d.Kind == plan.Added || d.Kind == plan.Rolled) && slices.Contains(c.To.After, d.Pool)
	})
}

// isReadyTo reports whether a change may begin, and sees to what it needs if nobody has.
func (s *Supervisor) isReadyTo(t *transaction, i int) bool {
	at, e := &t.steps[i], t.editions[i]
	if at.pool.station != running || e == nil || !t.late[i] || at.errand == seenTo {
		return true
	}
	if at.errand == underWay {
		return false
	}
	at.errand = underWay
	p, next := at.pool, at.pool.st.Rollout.Target+1
	s.goOn(func() {
		m := changeReady{transaction: t, change: i}
		if p.chores.take(t.ctx) {
			defer p.chores.give()
			m.setback = s.makeReady(t.ctx, e, next)
		}
		s.mail.post(m)
	})
	return false
}

// changeReady goes on with a change, or fails the reload.
func (s *Supervisor) changeReady(m changeReady) {
	t := m.transaction
	if t != s.transaction || t.progress == nil {
		return
	}
	if m.setback != nil {
		s.fail(m.setback.verdict())
		return
	}
	t.steps[m.change].errand = seenTo
}
