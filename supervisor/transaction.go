package supervisor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// transaction is one reload. Until progress is set it is being prepared beside the loop, which leaves it alone.
type transaction struct {
	ctx      context.Context //nolint:containedctx // an abort ends the preparation
	cancel   context.CancelFunc
	waiting  []replier
	plan     *plan.Plan
	house    *house     // with what was opened
	opened   []Listener // closed again if it fails
	editions []*edition // by change: what the pool is rolled to, or begins with
	late     []bool     // by change: what it needs beforehand is seen to when it is its turn
	progress *plan.Progress
	steps    []step // by change
}

// step is what there is to know of a change under way.
type step struct {
	pool    *pool
	ended   *pool        // that had ended, and that an added one takes the place of
	begun   bool         // not only ordered
	revived bool         // stopped to make way, and started again; or nobody starts it again
	lost    bool         // on the way back a worker of the previous configuration failed: nobody waits for it
	pauses  bool         // the way back has failed, and is tried again after a while
	before  *edition     // what to go back to
	spec    machine.Spec // the same
	target  uint64       // of a rollout
	station station      // where the pool was
	tries   int          // of the way back
	errand  errandState  // what a rollout needs beforehand, if that could not be seen to at first
}

// goesBackTo reports whether a program is needed if what was changed goes back.
func (t *transaction) goesBackTo(program *worker.Program) bool {
	return t != nil && t.progress != nil && slices.ContainsFunc(t.steps, func(at step) bool {
		return at.before != nil && at.before.program == program
	})
}

// release lets go of the programs that were kept for the way back.
func (t *transaction) release() {
	steps := t.steps
	t.steps, t.progress = nil, nil
	for i := range steps {
		if at := &steps[i]; at.before != nil {
			at.pool.forget(at.before.program)
		}
	}
}

func (t *transaction) answer(v Verdict) {
	for _, reply := range t.waiting {
		reply.give(v)
	}
	t.waiting = nil
}

// discard gives back what was prepared and is not needed.
func (t *transaction) discard() {
	for _, e := range t.editions {
		if e != nil && e.program != nil {
			_ = e.program.Close()
		}
	}
	for _, l := range t.opened {
		_ = l.Close()
	}
	t.opened, t.editions = nil, nil
}

// apply begins to do what the plan says.
func (s *Supervisor) apply(t *transaction) {
	if err := t.house.adjust(&t.plan.Old, &t.plan.New); err != nil {
		t.discard()
		s.refused(Verdict{Err: err})
		return
	}
	maps.Copy(s.house.open, t.house.open)
	for i := range t.plan.Changes {
		if c := &t.plan.Changes[i]; c.Kind != plan.Kept {
			s.log.Info().Str(keyPool, c.Pool).Stringer(keyChange, c.Kind).Strs(keyReasons, c.Reasons).Msg("change begins")
		}
	}
	s.reloadBecomes(ReloadView{State: reloadApplying})
	t.steps = make([]step, len(t.plan.Changes))
	t.progress = t.plan.Begin()
	s.advance()
}

// advance takes the reload as far as it comes now.
func (s *Supervisor) advance() {
	t := s.transaction
	if t == nil || t.progress == nil || s.leaving {
		return
	}
	for {
		orders := t.progress.Next()
		for _, o := range orders {
			s.order(t, o)
		}
		if s.transaction != t {
			return
		}
		if !s.look(t) && len(orders) == 0 {
			break
		}
	}
	switch t.progress.Phase() {
	case plan.Applied:
		s.commit(t)
	case plan.Reverted:
		s.reverted(t)
	case plan.Applying, plan.Reverting:
	}
}

// look finds out which changes have come to their end, and reports whether one has.
func (s *Supervisor) look(t *transaction) bool {
	found := false
	for i := range t.plan.Changes {
		for _, undo := range []bool{false, true} {
			if t.progress.Waits(i, undo) && s.isThrough(t, i, undo) {
				found = true
				if undo {
					t.progress.Undone(i)
				} else {
					t.progress.Done(i)
				}
			}
		}
	}
	return found
}

// order begins one change.
func (s *Supervisor) order(t *transaction, o plan.Order) {
	if o.Undo {
		s.undo(t, o.Change)
		return
	}
	c, at := &t.plan.Changes[o.Change], &t.steps[o.Change]
	if c.Kind == plan.Added {
		at.ended = s.pool(c.Pool)
		s.pools = slices.DeleteFunc(s.pools, func(p *pool) bool { return p == at.ended })
		at.pool, at.begun = newPool(s, t.editions[o.Change]), true
		t.editions[o.Change] = nil
		s.pools = append(s.pools, at.pool)
		s.startDue()
		return
	}
	at.pool = s.pool(c.Pool)
	s.begin(t, o.Change)
}

// begin begins a change of a pool that is there, unless somebody else's rollout is under way in it: then it follows.
// It reports whether it has begun.
func (s *Supervisor) begin(t *transaction, i int) bool {
	c, at := &t.plan.Changes[i], &t.steps[i]
	p := at.pool
	if p.st.Rollout.Phase == machine.Rolling && c.Kind != plan.Removed || !s.isReadyTo(t, i) {
		return false // isThrough comes back to it
	}
	at.begun, at.before, at.spec, at.station = true, p.edition(), p.st.Spec, p.station
	at.revived = p.st.Phase == machine.Exited
	e := t.editions[i]
	t.editions[i] = nil
	if c.Kind != plan.Removed && p.station != running {
		if e == nil {
			e = p.edition().with(c.To)
		}
		p.exchange(e, c.To.Spec)
		return true
	}
	switch c.Kind {
	case plan.Rolled:
		at.target = p.st.Rollout.Target + 1
		p.rollTo(e, machine.SpecChanged{Spec: p.seeded(e.cfg.Spec), Roll: true})
	case plan.Scaled, plan.Adjusted:
		p.adjust(c.To, c.To.Spec)
	case plan.Removed:
		p.retire()
	case plan.Kept, plan.Added:
	}
	return true
}

// retire stops a pool that is not wanted any more. Its listeners that nobody wants take no further connections, and its
// workers serve those that wait before they are told to leave.
func (p *pool) retire() {
	if p.st.Phase == machine.Exited {
		return // long ago maybe, and its listeners are closed
	}
	p.startAnew()
	spec := p.st.Spec
	for _, l := range p.listeners() {
		if p.sup.wants(l.Listener) {
			p.handOver(l)
		} else {
			p.sup.house.pause(l.Listener, p.failed(l))
		}
		spec.StopDelay = max(spec.StopDelay, spec.Settle)
	}
	if p.station == running {
		p.step(machine.SpecChanged{Spec: spec})
	}
	p.step(machine.StopRequested{})
}

// isThrough reports whether a change, or its taking back, has come to its end.
func (s *Supervisor) isThrough(t *transaction, i int, undo bool) bool {
	c, at := &t.plan.Changes[i], &t.steps[i]
	p := at.pool
	ended := p.st.Phase == machine.Exited
	switch {
	case !at.begun && undo:
		return true
	case !at.begun && !s.begin(t, i):
		return false
	case c.Kind == plan.Removed && !undo:
		return ended
	case c.Kind == plan.Removed && ended && !at.revived:
		s.revive(at)
		return false
	case ended && undo:
		return true
	case ended && p.code == 0:
		return true // it has done what it was there for
	case ended:
		s.fail(Verdict{Err: fmt.Errorf("pool %s has ended", c.Pool)})
		return false
	case p.station != running && (c.Kind != plan.Added || undo):
		return c.Kind != plan.Added // it starts with what it has been given, when its time comes
	case c.Kind == plan.Added && undo:
		return false
	case undo && at.lost && t.isInNobodysWay(c, p):
		return true
	case c.Kind == plan.Rolled && !undo:
		return p.st.Generation >= at.target && p.isPure() && p.serves()
	case c.Kind == plan.Rolled:
		return p.st.Phase == machine.Serving && p.isPure() && s.isBack(t, i) // one that stops is waited for
	case c.Kind == plan.Adjusted || c.Kind == plan.Scaled && undo:
		return true
	case c.Kind == plan.Scaled:
		return p.servesFrom(c.Workers) // what is wrong with the others was so before
	}
	return p.serves() // added, or back again
}
