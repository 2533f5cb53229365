package machine

import (
	"fmt"
	"slices"
	"time"
)

// Rules that the model checks beside I1 to I10; docs/mutations.md says what each one means.
const (
	ruleTotal     = "total"
	ruleNews      = "news"
	ruleSteering  = "steering"
	ruleQueues    = "queues"
	ruleSignals   = "signals"
	ruleRollouts  = "rollouts"
	ruleReload    = "reload"
	ruleDumps     = "dumps"
	ruleDeaths    = "deaths"
	ruleBackoff   = "backoff"
	ruleWishes    = "wishes"
	ruleProof     = "proof"
	ruleRestarts  = "restarts"
	ruleFitness   = "fitness"
	ruleRecycling = "recycling"
	ruleClaims    = "claims"
	ruleTurns     = "turns"
	ruleBooks     = "books"
)

// violation is a broken rule.
type violation struct{ rule, text string }

func (v *violation) Error() string { return v.rule + ": " + v.text }

// checker follows one step: it enters the event and then the actions in the books of the world after it, and compares.
type checker struct {
	before, now *world
	ev          Event
	acts        []Action
	err         *violation

	reloaded  []int // places of the workers that are to get the reload signal in this step
	died      *Ref  // whose death was reported in this step
	buried    bool
	isForced  bool          // this is the fourth termination or a kill
	mustAbort bool          // a successor failed, or an abort was asked for
	wentBack  bool          // a rollout has ended like this
	aborted   bool          // an abort was asked for
	proof     time.Duration // what the worker that became ready has to prove
	mustQuit  bool          // a slot failed too often
	replaced  []int         // places of workers that did not work, and are taken away in this step
	turn      bool          // there is a turn, and no rollout has ended in this step
	asked     [rights]bool  // claims were asked for in this step
	cut       int           // place of the worker whose claim lapses or was lost; -1 if nobody's did
}

// after returns the world after a happening, nil where nothing came of it, and the rule that the step broke.
func (w *world) after(h happening) (*world, error) {
	if h.late {
		return nil, w.ignores(h.ev)
	}
	c := &checker{before: w, now: w.clone(), ev: h.ev, cut: -1}
	if h.spend != nil {
		c.now.left.spend(h.spend)
	}
	c.happen()
	c.turn = c.now.fleet.turns() > 0
	if c.now.st, c.acts, c.err = steps(w.st, h.ev); c.err != nil {
		return nil, c.err
	}
	c.follow()
	if c.err != nil {
		return nil, c.err
	}
	return c.now, nil
}

// steps makes a step that is not to panic.
func steps(st State, ev Event) (next State, acts []Action, broken *violation) {
	defer func() {
		if p := recover(); p != nil {
			broken = &violation{ruleTotal, fmt.Sprint(p)}
		}
	}()
	next, acts = Step(st, ev)
	return next, acts, nil
}

// begin returns the world after the start of a pool.
func begin(spec Spec, left budget) (*world, error) {
	none := &world{}
	c := &checker{before: none, now: &world{spec: spec, good: 1, target: 1, left: left}, cut: -1}
	c.now.st, c.acts = New(spec)
	none.spec = spec
	c.follow()
	if c.err != nil {
		return nil, c.err
	}
	return c.now, nil
}

// ignores checks that late news changes nothing.
func (w *world) ignores(ev Event) error {
	st, acts, broken := steps(w.st, ev)
	if broken != nil {
		return broken
	}
	if death, again := ev.(Died); again && len(acts) == 1 && acts[0] == Action(Obituary{Ref: death.Ref, Next: acts[0].(Obituary).Next, After: acts[0].(Obituary).After}) {
		acts = nil
	}
	if len(acts) > 0 || !same(&st, &w.st) {
		return &violation{ruleNews, fmt.Sprintf("late %T%+v leads to %v and\n%+v", ev, ev, acts, st)}
	}
	return nil
}

func same(a, b *State) bool {
	return a.Phase == b.Phase && a.Spec == b.Spec && a.Generation == b.Generation && a.Rollout == b.Rollout &&
		a.Terms == b.Terms && a.Parting == b.Parting && a.ExitCode == b.ExitCode && a.LastInc == b.LastInc &&
		slices.Equal(a.Slots, b.Slots) && slices.Equal(a.Dumps, b.Dumps) && slices.Equal(a.Owed, b.Owed) &&
		slices.Equal(a.Due, b.Due) && a.Resting == b.Resting && slices.Equal(a.Held, b.Held) && a.Asked == b.Asked
}

func (c *checker) fail(rule, format string, args ...any) {
	if c.err == nil {
		c.err = &violation{rule, fmt.Sprintf(format, args...)}
	}
}

// follow enters the actions in the books, one by one, and checks the result.
func (c *checker) follow() {
	c.now.grow(2 * len(c.now.st.Slots))
	for n, a := range c.acts {
		if c.now.exited {
			c.fail(ruleBooks, "action %T after the exit", a)
		}
		c.perform(a)
		if c.err != nil {
			c.err.text += fmt.Sprintf(" (action %d of %+v)", n, c.acts)
			return
		}
	}
	c.result()
	if c.err != nil {
		c.err.text += fmt.Sprintf(" (after %+v)", c.acts)
	}
}

// happen enters the event in the books.
func (c *checker) happen() {
	w := c.now
	switch e := c.ev.(type) {
	case BecameReady:
		p := w.proc(e.Ref)
		if p.said {
			c.fits(e.Ref, isFit)
			return
		}
		p.said, w.mending[e.Ref.Slot] = true, false
		if p.owed {
			p.owed = false
			c.reloaded = []int{e.Ref.place().index()}
		}
		c.proves(p)
	case BecameUnready:
		c.fits(e.Ref, isUnready)
	case Failed:
		c.failing(e)
	case RecycleDue:
		w.proc(e.Ref).due = true
	case LeavesByItself:
		p := w.proc(e.Ref)
		p.leaving, p.fit = true, isFit
		if !p.said || p.proving && w.spec.Restart == RestartAlways {
			c.charge(e.Ref, p)
		}
		p.proving = false
	case Died:
		c.died = &e.Ref
		p := w.proc(e.Ref)
		c.judge(e, p)
		p.leader, p.leaving, p.fit = false, true, isFit
		if !e.Remains {
			w.reap(e.Ref)
		}
	case Gone:
		w.reap(e.Ref)
	case TimerFired:
		w.timers = slices.DeleteFunc(w.timers, func(t Timer) bool { return t == e.Timer })
		c.ended(e.Timer)
	case Claimed:
		w.fleet.comes(e)
	case Lapses:
		c.lapses(e.Claim)
	case Lost:
		c.lost(e.Claim)
	case RollRequested:
		c.now.queued = true
	case ReloadRequested:
		c.reload(e)
	case DumpRequested:
		for i := range w.procs {
			if w.procs[i].serves() && isUp(w.health(i)) {
				w.procs[i].dump = isAsked
			}
		}
	case ScaleRequested:
		w.scale(e.Workers)
	case SpecChanged:
		c.change(e)
	case AbortRequested:
		c.mustAbort, c.aborted = w.open != 0, true
	case TermReceived:
		w.terms++
		w.patient = !w.stopping && w.spec.StopDelay > 0
		w.stopping = true
		c.isForced = w.terms == 4
	case StopRequested:
		w.stopping, w.heirs = true, e.Outlived
		w.patient = w.spec.StopDelay > 0 || w.heirs && w.spec.Settle > 0 && w.hasVacancy()
	case KillRequested:
		w.stopping, c.isForced = true, true
	}
	w.failed = w.failed || c.isForced
}

// judge keeps the environment's own count of failures: a death that was not asked for is one, unless a worker that has
// been ready ended with success and old enough. A worker that was stable before starts the count anew.
func (c *checker) judge(e Died, p *proc) {
	if p.told || c.now.stopping || e.Ref.Slot >= c.now.wanted() {
		return
	}
	backoff := &c.now.spec.Backoff
	if p.said && e.Age >= backoff.StableAfter && p.generation == c.now.st.Slots[e.Ref.Slot].Generation {
		c.now.fails[e.Ref.Slot] = 0
	}
	switch {
	case e.Clean && c.now.spec.Restart != RestartAlways:
		c.finish(e.Ref, p, EndedWell)
	case !p.said || p.proving || !e.Clean || e.Age < backoff.RecycleAge:
		c.charge(e.Ref, p)
	}
}

// proves says whether the worker that became ready is one that its rollout does not count on yet.
func (c *checker) proves(p *proc) {
	w := c.now
	if w.open == 0 || p.generation != w.open {
		return
	}
	if c.proof = w.spec.MinReady; !w.passed && w.spec.Canary > c.proof {
		c.proof = w.spec.Canary
	}
	p.proving = c.proof > 0
	w.passed = w.passed || !p.proving
}

// ended enters what the end of a timer means.
func (c *checker) ended(t Timer) {
	w := c.now
	p := w.proc(t.Ref)
	switch {
	case t.Kind == BackoffTimer:
		w.fleet.rested[t.Ref.Slot] = w.spec.Claims
	case t.Kind == ReadyTimer:
		c.charge(t.Ref, p)
	case t.Kind == ProvingTimer:
		p.proving = false
		w.passed = w.passed || p.generation == w.open
	case t.Kind == GraceTimer && !p.told && !w.stopping && w.spec.Restart != RestartAlways:
		c.charge(t.Ref, p) // it left by itself, and it was not known how
	}
}

func (c *checker) charge(ref Ref, p *proc) {
	w := c.now
	switch {
	case ref.Slot >= w.wanted():
	case p.generation == w.open:
		c.mustAbort = true
	case w.spec.Restart == RestartNever:
		c.finish(ref, p, EndedBadly)
	case p.generation == c.generationOf(ref.Slot):
		w.fails[ref.Slot]++
		w.fleet.rested[ref.Slot] = false
		limit := w.spec.Backoff.GiveUpAfter
		c.mustQuit = limit > 0 && int(w.fails[ref.Slot]) >= limit
	}
}

// reload says who is to get the signal: all that serve, at once, and those that start, when they are ready.
func (c *checker) reload(e ReloadRequested) {
	w := c.now
	serving := w.safe()
	unsafe := func(ref Ref) bool { return !slices.Contains(e.Safe, ref) }
	switch policy := w.spec.Reload; {
	case policy == ReloadRoll,
		policy == ReloadAuto && (w.open != 0 || len(serving) == 0 || slices.ContainsFunc(serving, unsafe)):
		c.now.queued = true
		return
	}
	for _, ref := range serving {
		c.reloaded = append(c.reloaded, ref.place().index())
	}
	for i := range w.procs {
		if p := &w.procs[i]; p.lives() && !p.said && !p.leaving {
			p.owed = true
		}
	}
}
