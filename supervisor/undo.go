package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// fail turns the reload at hand back. Who waits hears of it at once; the way back follows.
func (s *Supervisor) fail(v Verdict) {
	t := s.transaction
	if t == nil || t.progress == nil || s.leaving || !t.progress.Fail() {
		return
	}
	s.reloadFailed(v)
	v = describeFailure(v)
	lines(s.log.Error().Err(v.Err), v.Lines).Msg("reload failed: what it changed goes back")
	s.reloadIs(reloadReverting)
	s.house.readjust(&t.plan.Old)
	s.house.resumeAll(&t.plan.Old, s.cannotResume) // connections wait in the queues for whom comes back
	t.answer(v)
}

// describeFailure is the verdict about a reload that failed while it was applied.
func describeFailure(v Verdict) Verdict {
	v.Err = fmt.Errorf("%w, the previous configuration serves on: %w", ErrReload, v.Err)
	return v
}

// undo begins to take one change back.
func (s *Supervisor) undo(t *transaction, i int) {
	c, at := &t.plan.Changes[i], &t.steps[i]
	p := at.pool
	if !at.begun {
		return
	}
	s.log.Info().Str(keyPool, c.Pool).Stringer(keyChange, c.Kind).Msg("change goes back")
	if p.station != running && c.Kind != plan.Added && c.Kind != plan.Removed {
		p.exchange(at.before, at.spec)
		return
	}
	switch c.Kind {
	case plan.Added:
		p.step(machine.StopRequested{})
	case plan.Removed: // started again when it has ended; see isThrough
	case plan.Scaled, plan.Adjusted:
		p.adjust(at.before.cfg, p.withdrawn(c, at))
	case plan.Rolled:
		p.rollBack(c, at)
	case plan.Kept:
	}
}

// rollBack takes a rollout back that is under way, or that has ended well: then by another one.
func (p *pool) rollBack(c *plan.Change, at *step) {
	switch {
	case p.st.Rollout.Phase == machine.Rolling && p.st.Rollout.Target == at.target, p.st.Rollout.Phase != machine.Rolling && p.st.Rollout.Queued == at.target:
		p.step(machine.AbortRequested{})
	case p.st.Generation >= at.target: // somebody may have rolled it since
		p.rollTo(at.before.with(at.before.cfg), machine.SpecChanged{Spec: p.withdrawn(c, at), Roll: true})
	}
}

const (
	// backAgain is the pause before another attempt to roll a pool back. It doubles.
	backAgain = 5 * time.Second
	// mostTries is how often that is tried: what a migration made impossible stays so. A reload that waits comes first.
	mostTries = 3
)

// isBack reports whether a pool whose rollouts have ended is what it was before. The way back of one that had been rolled
// is a rollout, which a single crash makes fail: then it is tried again.
func (s *Supervisor) isBack(t *transaction, i int) bool {
	at := &t.steps[i]
	if at.pool.cfg() == at.before.cfg {
		return true
	}
	if at.pauses {
		return false
	}
	if at.tries++; (at.tries > mostTries || len(s.reloads) > 0) && !t.isWantedBack(i) {
		s.log.Error().Str(keyPool, at.pool.name).Int(keyTries, at.tries-1).
			Msg("pool cannot go back: its previous workers do not start any more; it keeps what it has")
		at.lost = true
		return true
	}
	at.pauses = true
	time.AfterFunc(backAgain<<min(at.tries-1, mostTries), func() { s.mail.post(backDue{transaction: t, change: i}) })
	return false
}

// isWantedBack reports whether another pool has to get back what a change took of it: two pools never serve one sharded
// listener, so there the way back is tried until it leads somewhere.
func (t *transaction) isWantedBack(i int) bool {
	c := &t.plan.Changes[i]
	return slices.ContainsFunc(c.Needs, func(j int) bool {
		d := &t.plan.Changes[j]
		return t.steps[j].begun && d.From != nil && t.plan.Takes(c, d)
	})
}

// backDue tries once more to roll a pool back.
func (s *Supervisor) backDue(m backDue) {
	t := m.transaction
	if t != s.transaction || t.progress == nil || s.leaving || !t.progress.Waits(m.change, true) {
		return
	}
	t.steps[m.change].pauses = false
	s.undo(t, m.change)
}

// withdrawn is the specification to go back to. A number of workers that somebody asked for meanwhile was no part of the
// reload, and stays.
func (p *pool) withdrawn(c *plan.Change, at *step) machine.Spec {
	spec := at.spec
	if p.st.Spec.Workers == c.To.Spec.Workers {
		return spec
	}
	spec.Workers = at.before.cfg.Autoscale.Clamp(p.st.Spec.Workers)
	for _, l := range at.before.listeners {
		if l.Grow(spec.Workers) != nil {
			return at.spec
		}
	}
	if spec.Validate() != nil {
		return at.spec
	}
	return spec
}

// revive starts a pool again that was stopped to make way.
func (s *Supervisor) revive(at *step) {
	s.drop(at.pool)
	at.pool, at.revived = newPool(s, at.before), true
	at.pool.st.Spec = at.spec
	s.pools = append(s.pools, at.pool)
	if at.station == running { // what it needed was seen to when it was started for the first time
		at.pool.begin()
	}
}

// leftWith is what the pools are after the way back: the previous description, but for pools that could not go back.
func (s *Supervisor) leftWith(t *transaction) plan.Desired {
	d := t.plan.Old
	d.Listeners, d.Pools = slices.Clone(d.Listeners), slices.Clone(d.Pools)
	for i := range t.steps {
		at, c := &t.steps[i], &t.plan.Changes[i]
		if c.Kind != plan.Rolled || !at.begun || at.pool.cfg() == at.before.cfg {
			continue
		}
		if was := d.Pool(c.Pool); was != nil {
			*was = *c.To
		}
		for _, name := range c.To.Listen {
			l := t.plan.New.Listener(name)
			if l == nil {
				continue
			}
			d.Listeners = slices.DeleteFunc(d.Listeners, func(was listener.Config) bool { return plan.KeyOf(&was) == plan.KeyOf(l) })
			d.Listeners = append([]listener.Config{*l}, d.Listeners...)
		}
	}
	return d
}

// reverted ends a transaction that was taken back.
func (s *Supervisor) reverted(t *transaction) {
	lost := false
	for i := range t.steps {
		at := &t.steps[i]
		lost = lost || at.lost
		if t.plan.Changes[i].Kind != plan.Added {
			continue
		}
		s.drop(at.pool)
		if at.ended != nil {
			s.pools = append(s.pools, at.ended)
		}
	}
	s.desired = s.leftWith(t)
	s.putDocument()
	s.house.readjust(&s.desired)
	s.house.clear(&s.desired, s.cannotClose)
	s.sortPools()
	t.opened = nil
	t.release()
	s.reloadIs(reloadFailed)
	if lost {
		s.log.Error().Msg("the previous configuration holds again, but not all of its workers serve")
	} else {
		s.log.Info().Msg("the previous configuration is back")
	}
	t.discard()
	s.endTransaction(Verdict{Err: ErrReload})
}

// rolloutEnded hears how a rollout went that may be part of the reload at hand.
func (s *Supervisor) rolloutEnded(p *pool, target uint64, v Verdict) {
	t := s.transaction
	if t == nil || t.progress == nil || v.Err == nil {
		return
	}
	for i := range t.steps {
		if at := &t.steps[i]; at.pool == p && at.target == target && t.progress.Waits(i, false) {
			s.fail(v)
			return
		}
	}
}

// startFailed hears that a pool could not be started. Of one that a reload brought it is the reload's failure, and it
// reports true: the supervisor goes on.
func (s *Supervisor) startFailed(p *pool, b *setback) bool {
	if p.first {
		return false
	}
	if i, undo := s.changeOf(p); i >= 0 && !undo {
		s.fail(b.verdict())
	}
	return true
}

// workerFailed hears of a death that nobody asked for. In a pool, or a slot, that the reload at hand added it is the
// reload's failure. On the way back nobody waits any more for a pool whose previous workers do not live either.
func (s *Supervisor) workerFailed(p *pool, rec *record) {
	i, undo := s.changeOf(p)
	if i < 0 || rec.clean() && p.st.Spec.Restart != machine.RestartAlways {
		return
	}
	if undo {
		at := &s.transaction.steps[i]
		good := p.editions[p.st.Generation]
		at.lost = at.lost || at.before != nil && good.cfg == at.before.cfg && rec.edition.cfg == good.cfg
		return
	}
	c := &s.transaction.plan.Changes[i]
	if c.Kind == plan.Added && !p.settled || c.Kind == plan.Scaled && rec.ref.Slot >= c.Workers {
		s.fail(Verdict{
			Err:   fmt.Errorf("%w: %s", errAnew, p.fate(rec, machine.SuccessorDied)),
			Lines: rec.tail(),
		})
	}
}

// errAnew names a worker that was not there before the reload.
var errAnew = errors.New("the new configuration does not work")

// isInNobodysWay reports whether what a pool still has of the new configuration may stay for a while: no listener of it is
// to be closed, or wanted back by another pool.
func (t *transaction) isInNobodysWay(c *plan.Change, p *pool) bool {
	for _, rec := range p.workers {
		if rec.generation != p.wanted() && (len(c.Needs) > 0 || slices.ContainsFunc(t.opened, rec.edition.has)) {
			return false
		}
	}
	return true
}

// changeOf is the change of a pool that is under way, or with undo is being taken back; -1 if there is none.
func (s *Supervisor) changeOf(p *pool) (i int, undo bool) {
	t := s.transaction
	if t == nil || t.progress == nil {
		return -1, false
	}
	for i := range t.steps {
		if t.steps[i].pool == p && (t.progress.Waits(i, false) || t.progress.Waits(i, true)) {
			return i, t.progress.Waits(i, true)
		}
	}
	return -1, false
}
