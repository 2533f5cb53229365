package supervisor

import (
	"fmt"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// fail turns the reload at hand back. Who waits hears of it at once; the way back follows.
func (s *Supervisor) fail(v Verdict) {
	t := s.transaction
	if t == nil || t.progress == nil || !t.progress.Fail() {
		return
	}
	s.reloadFailed(v)
	v = describeFailure(v)
	lines(s.log.Error().Err(v.Err), v.Lines).Msg("reload failed: what it changed goes back")
	s.reloadIs(reloadReverting)
	s.house.readjust(&t.plan.Old)
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
		p.adjust(at.before.cfg, at.spec)
	case plan.Rolled:
		p.rollBack(at)
	case plan.Kept:
	}
}

// rollBack takes a rollout back that is under way, or that has ended well: then by another one.
func (p *pool) rollBack(at *step) {
	switch {
	case p.st.Rollout.Phase == machine.Rolling && p.st.Rollout.Target == at.target:
		p.step(machine.AbortRequested{})
	case p.st.Generation == at.target:
		e := *at.before
		p.rollTo(&e, machine.SpecChanged{Spec: at.spec, Roll: true})
	}
}

// revive starts a pool again that was stopped to make way.
func (s *Supervisor) revive(at *step) {
	s.drop(at.pool)
	before := at.before.with(at.before.cfg)
	before.program = nil // it was closed with the old pool
	at.pool, at.revived = newPool(s, before), true
	s.pools = append(s.pools, at.pool)
	s.startDue()
}

// reverted ends a transaction that was taken back.
func (s *Supervisor) reverted(t *transaction) {
	for i := range t.plan.Changes {
		if t.plan.Changes[i].Kind == plan.Added {
			s.drop(t.steps[i].pool)
		}
	}
	s.house.clear(&t.plan.Old, s.cannotClose)
	s.sortPools()
	t.opened, t.progress = nil, nil
	s.reloadIs(reloadFailed)
	s.log.Info().Msg("the previous configuration is back")
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
	if i := s.changeOf(p); i >= 0 {
		s.fail(b.verdict())
	}
	return true
}

// workerFailed hears of a death that nobody asked for. In a pool, or a slot, that the reload at hand added it is the
// reload's failure.
func (s *Supervisor) workerFailed(p *pool, rec *record) {
	i := s.changeOf(p)
	if i < 0 {
		return
	}
	c := &s.transaction.plan.Changes[i]
	if c.Kind == plan.Added && !p.settled || c.Kind == plan.Scaled && rec.ref.Slot >= c.Workers {
		s.fail(Verdict{
			Err:   fmt.Errorf("worker %s of the new configuration: %s", p.label(rec.ref.Slot), rec.lastExit()),
			Lines: rec.tail(),
		})
	}
}

// changeOf is the change under way of a pool, -1 if there is none.
func (s *Supervisor) changeOf(p *pool) int {
	t := s.transaction
	if t == nil || t.progress == nil {
		return -1
	}
	for i := range t.steps {
		if t.steps[i].pool == p && t.progress.Waits(i, false) {
			return i
		}
	}
	return -1
}

// reloadIs notes how far the reload at hand is, beside what is known of it.
func (s *Supervisor) reloadIs(state string) {
	v := ReloadView{}
	if s.config.Reload != nil {
		v = *s.config.Reload // readers may have the old one
	}
	v.State = state
	s.config.Reload = &v
}

// reloadDone notes a success for the status.
func (s *Supervisor) reloadDone() time.Time {
	now := time.Now()
	s.config.Reloads++
	s.config.Reload = &ReloadView{State: reloadIsDone, At: now}
	return now
}

// reloadFailed notes a failure for the status.
func (s *Supervisor) reloadFailed(v Verdict) {
	s.config.Failures++
	s.config.Reload = &ReloadView{State: reloadFailed, At: time.Now(), Error: v.Err.Error(), Lines: v.Lines}
}
