package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// ErrReload is in the chain of every reload that failed: the previous configuration holds.
var ErrReload = errors.New("reload failed")

var errNotNow = errors.New("try again when it has ended")

// reload reads the configuration again and applies what changed as one transaction. While one is under way the next is
// queued; several requests share it, since it will read the file as it is then.
func (s *Supervisor) reload(reply replier) {
	switch {
	case s.leaving:
		reply.give(Verdict{Err: ErrStopped})
	case s.transaction != nil:
		s.log.Info().Msg("reload queued behind the one at hand")
		s.reloads = append(s.reloads, reply)
	default:
		s.beginReload([]replier{reply})
	}
}

// facts is what a reload has to know of the moment. It shares nothing with the loop that the loop changes.
type facts struct {
	desired  plan.Desired
	house    *house
	now      map[string]plan.Now
	programs map[string]*worker.Program
	chores   map[string]turn
	idle     map[string]bool // pools that have not started yet
	stopping []string        // pools that somebody stops
}

func (s *Supervisor) facts() *facts {
	f := &facts{
		desired: s.desired, house: s.house.clone(),
		now: map[string]plan.Now{}, programs: map[string]*worker.Program{}, chores: map[string]turn{}, idle: map[string]bool{},
	}
	for _, p := range s.pools {
		f.now[p.name] = plan.Now{Workers: p.st.Spec.Workers, Ended: p.st.Phase == machine.Exited}
		f.programs[p.name], f.chores[p.name] = p.edition().program, p.chores
		f.idle[p.name] = p.station != running
		if p.st.Phase == machine.Stopping {
			f.stopping = append(f.stopping, p.name)
		}
	}
	return f
}

// beginReload prepares a transaction beside the loop.
func (s *Supervisor) beginReload(waiting []replier) {
	t := &transaction{waiting: waiting}
	t.ctx, t.cancel = context.WithCancel(s.ctx)
	s.transaction = t
	s.reloadBecomes(ReloadView{State: reloadPreparing})
	s.systemd.reloading()
	s.log.Info().Str(keyFile, s.cfg.File).Msg("reload begins")
	f := s.facts()
	s.goOn(func() {
		setback := s.prepare(t, f)
		s.mail.post(reloadReady{transaction: t, setback: setback})
	})
}

// compare reads the configuration and makes the plan. It blocks.
func (s *Supervisor) compare(f *facts) (*plan.Plan, error) {
	desired, err := s.cfg.World.Load()
	if err != nil {
		return nil, err
	}
	for name, program := range f.programs {
		if program == nil {
			continue
		}
		if changed, err := program.Changed(); err == nil && changed {
			now := f.now[name]
			now.Replaced = true
			f.now[name] = now
		}
	}
	if len(f.stopping) > 0 {
		return nil, fmt.Errorf("pool %s is being stopped: %w", strings.Join(f.stopping, ", "), errNotNow)
	}
	if len(desired.Pools) == 0 {
		return nil, errNoPools
	}
	for i := range desired.Pools {
		if err := desired.Pools[i].Spec.Validate(); err != nil {
			return nil, fmt.Errorf("cannot run pool %s: %w", desired.Pools[i].Name, err)
		}
	}
	return plan.Compare(f.desired, desired, f.now)
}

// prepare does all of a reload that can fail without having changed anything. It blocks.
func (s *Supervisor) prepare(t *transaction, f *facts) *setback {
	refuse := func(err error) *setback { return &setback{errs: []error{err}} }
	p, err := s.compare(f)
	if err != nil {
		return refuse(err)
	}
	t.plan = p
	if t.opened, err = f.house.furnish(s.cfg.World.Sockets, &p.New); err != nil {
		return refuse(err)
	}
	t.house = f.house
	t.editions, t.late = make([]*edition, len(p.Changes)), make([]bool, len(p.Changes))
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.To == nil {
			continue
		}
		seats, err := f.house.seats(&p.New, c.To)
		if err == nil {
			err = canProbe(c.To, seats)
		}
		switch {
		case err != nil:
		case c.Kind == plan.Rolled || c.Kind == plan.Added:
			t.editions[i], err = s.cfg.World.newEdition(c.To, seats)
		case c.Kind != plan.Kept && !slices.Equal(c.From.Requires, c.To.Requires) && !f.idle[c.Pool]:
			if b := s.requireAsIs(t.ctx, c.To, seats); b != nil {
				return b
			}
		}
		if err != nil {
			return refuse(err)
		}
	}
	return s.prepareEach(t, f)
}

// prepareEach checks what the new editions require, and runs the one-shot commands of those that are rolled. Pools that
// start, or come after others that change with them, do that when it is their turn.
func (s *Supervisor) prepareEach(t *transaction, f *facts) *setback {
	all := &setback{}
	for i, e := range t.editions {
		c := &t.plan.Changes[i]
		t.late[i] = c.Kind == plan.Rolled && (f.idle[c.Pool] || comesLate(t.plan, c))
		if e == nil || c.Kind == plan.Added && len(e.cfg.After) > 0 || t.late[i] {
			continue
		}
		if b := s.require(t.ctx, e, 1, e.cfg.RequiresTimeout); b != nil {
			all.errs = append(all.errs, b.errs...)
		}
	}
	if len(all.errs) > 0 {
		return all
	}
	for i, e := range t.editions {
		c := &t.plan.Changes[i]
		chores := f.chores[c.Pool]
		if e == nil || c.Kind != plan.Rolled || t.late[i] || !chores.take(t.ctx) {
			continue
		}
		b := s.preStart(t.ctx, e, 1)
		chores.give()
		if b != nil {
			return b
		}
	}
	return nil
}

// reloadReady begins to apply a transaction, or ends it.
func (s *Supervisor) reloadReady(m reloadReady) {
	t := m.transaction
	if t != s.transaction {
		t.discard()
		return
	}
	switch {
	case s.leaving:
		t.discard()
		s.endTransaction(Verdict{Err: ErrStopped})
	case t.ctx.Err() != nil:
		t.discard()
		s.refused(Verdict{Err: ErrAborted})
	case m.setback != nil:
		t.discard()
		s.refused(m.setback.verdict())
	case t.plan.Empty():
		s.reloadAll(t)
	default:
		s.apply(t)
	}
}

// refused ends a reload that changed nothing.
func (s *Supervisor) refused(v Verdict) {
	s.reloadFailed(v)
	v.Err = fmt.Errorf("%w: %w", ErrReload, v.Err)
	lines(s.log.Error().Err(v.Err), v.Lines).Msg("reload failed: the configuration stays as it was")
	s.endTransaction(v)
}

// reloadAll is a reload of a configuration in which nothing changed: the workers are told, or rolled, as their pools say.
func (s *Supervisor) reloadAll(t *transaction) {
	gather := newGather(len(s.pools), replyFunc(func(v Verdict) {
		if v.Err == nil {
			s.reloadDone()
			s.log.Info().Msg("reload done: nothing had changed in the configuration")
		} else {
			s.reloadFailed(v)
		}
		s.endTransaction(v)
	}))
	s.reloadIs(reloadApplying)
	t.discard()
	for _, p := range s.pools {
		if !p.accepts() { // it has not read the old configuration yet, or never will read another one
			gather.give(Verdict{Text: fmt.Sprintf("pool %s is %s", p.name, p.phase())})
			continue
		}
		p.reload(signalOrRoll, gather)
	}
}

// endTransaction answers whom it has not answered yet, and begins the reload that waits.
func (s *Supervisor) endTransaction(v Verdict) {
	t := s.transaction
	if t == nil {
		return
	}
	t.cancel()
	t.answer(v)
	s.transaction = nil
	s.systemd.reloaded()
	if waiting := s.reloads; len(waiting) > 0 && !s.leaving {
		s.reloads = nil
		s.beginReload(waiting)
	}
}

// giveUpReloads tells who waits for a reload that it will not come to its end.
func (s *Supervisor) giveUpReloads() {
	stopped := Verdict{Err: ErrStopped}
	if s.transaction != nil {
		s.transaction.answer(stopped)
	}
	for _, reply := range s.reloads {
		reply.give(stopped)
	}
	s.reloads = nil
}

// wants reports whether somebody is to serve a listener when the reload at hand is through, or has been taken back.
func (s *Supervisor) wants(l Listener) bool {
	d := &s.desired
	if t := s.transaction; t != nil && t.progress != nil && t.progress.Phase() == plan.Applying {
		d = &t.plan.New
	}
	return slices.ContainsFunc(d.Listeners, func(cfg listener.Config) bool { return s.house.open[plan.KeyOf(&cfg)] == l })
}
