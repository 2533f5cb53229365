package supervisor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// ErrStopped answers requests that a stop overtook.
var ErrStopped = errors.New("the supervisor is stopping")

// ErrRollout is in the chain of every failed rollout.
var ErrRollout = errors.New("rollout failed")

// waiter wants to know how the rollout to a generation ends.
type waiter struct {
	target uint64
	reply  replier
}

// await answers when the rollout that was just asked for, behind another one, has ended.
func (p *pool) await(before machine.Rollout, reply replier) {
	target := before.Target + 1
	if p.st.Generation >= target { // there was nobody to replace
		reply.give(p.isAt(target))
		return
	}
	p.waiting = append(p.waiting, waiter{target: target, reply: reply})
}

func (p *pool) isAt(generation uint64) Verdict {
	return Verdict{Text: fmt.Sprintf("pool %s is at generation %d", p.name, generation)}
}

// settle answers the waiters that are meant.
func (p *pool) settle(meant func(waiter) bool, v Verdict) {
	rest := p.waiting[:0]
	for _, w := range p.waiting {
		if meant(w) {
			w.reply.give(v)
			continue
		}
		rest = append(rest, w)
	}
	p.waiting = rest
}

// roll replaces every worker by one of a new generation, with whatever executable is found now. What that generation
// needs beforehand is seen to beside the loop.
func (p *pool) roll(reply replier) {
	if !p.accepts() {
		reply.give(Verdict{Err: p.notRunning()})
		return
	}
	s, old, next, ctx := p.sup, p.latest(), p.st.Rollout.Target+1, p.errand()
	p.errands.rolls++
	s.goOn(func() {
		m := rollReady{pool: p, ctx: ctx, edition: old, reply: reply}
		if p.chores.take(ctx) {
			defer p.chores.give()
			e, err := s.cfg.World.reprint(old)
			if err != nil {
				m.setback = &setback{errs: []error{err}}
			} else {
				m.edition, m.setback = e, s.makeReady(ctx, e, next)
			}
			m.kept = err == nil
		}
		s.mail.post(m)
	})
}

// latest is the edition that the pool is to have when all rollouts that were asked for are through.
func (p *pool) latest() *edition {
	if e := p.editions[p.st.Rollout.Queued]; e != nil && p.st.Rollout.Queued != 0 {
		return e
	}
	return p.edition()
}

// rollReady goes on with a rollout, or refuses it.
func (p *pool) rollReady(m rollReady) {
	p.errands.rolls--
	latest := p.latest()
	switch {
	case !p.accepts():
		m.refuse(Verdict{Err: ErrStopped})
		return
	case m.ctx.Err() != nil:
		m.refuse(Verdict{Err: fmt.Errorf("cannot roll pool %s: %w", p.name, ErrAborted)})
		return
	case m.setback != nil:
		v := m.setback.verdict()
		v.Err = fmt.Errorf("cannot roll pool %s: %w", p.name, v.Err)
		lines(p.log.Error().Err(v.Err), v.Lines).Msg("rollout refused")
		m.refuse(v)
		return
	case latest.recipe != m.edition.recipe: // a reload has come in between: that was prepared for what is gone
		m.refuse(Verdict{})
		p.roll(m.reply)
		return
	}
	e := latest.with(latest.cfg)
	e.program, e.repeats = m.edition.program, p.wanted()
	before := p.st.Rollout
	p.rollTo(e, machine.RollRequested{})
	p.await(before, m.reply)
}

// refuse answers, and gives back what was prepared.
func (m *rollReady) refuse(v Verdict) {
	if m.kept && m.edition.program != nil {
		_ = m.edition.program.Close()
	}
	if v.Err != nil {
		m.reply.give(v)
	}
}

// rollTo begins, or queues, a rollout to an edition.
func (p *pool) rollTo(e *edition, ev machine.Event) {
	p.coming = e
	p.step(ev)
	if p.coming != nil { // the pool is on its way out
		p.coming = nil
		p.forget(e.program)
	}
}

// enrol gives the generation that a step has brought up its edition, before its first worker is started. One that nobody
// prepared has the same workers as the one before.
func (p *pool) enrol() {
	r := p.st.Rollout
	switch {
	case r.Phase == machine.Rolling && p.editions[r.Target] == nil:
		p.editions[r.Target] = p.editions[p.st.Generation]
		if p.coming != nil {
			p.editions[r.Target], p.coming = p.coming, nil
		}
	case r.Queued != 0 && p.coming != nil:
		before := p.editions[r.Queued]
		p.editions[r.Queued], p.coming = p.coming, nil
		if before != nil {
			p.forget(before.program)
		}
	case p.coming != nil && p.editions[p.st.Generation] == nil: // it has ended already: there was nobody to replace
		p.editions[p.st.Generation], p.coming = p.coming, nil
	}
}

func (p *pool) rolloutStarted(a machine.RolloutStarted) {
	p.last = &RolloutView{Generation: a.Target, State: machine.Rolling.String()}
	p.log.Info().Uint64(keyGeneration, a.Target).Msg("rollout started")
	p.tellRollout(p.last, nil)
}

func (p *pool) rolloutEnded(a machine.RolloutEnded) {
	v := p.isAt(a.Target)
	begun := p.last != nil && p.last.Generation == a.Target
	view := &RolloutView{Generation: a.Target, State: "done"}
	if a.Cause == machine.RolledOut {
		p.log.Info().Uint64(keyGeneration, a.Target).Msg("rollout done")
	} else {
		reason, last := p.blame(a)
		if begun {
			p.admit(a, reason)
		}
		view = &RolloutView{Generation: a.Target, State: stateFailed, Reason: reason}
		v = Verdict{Err: fmt.Errorf("cannot roll pool %s to generation %d: %s: %w", p.name, a.Target, reason, ErrRollout), Lines: last}
		lines(p.log.Error().Uint64(keyGeneration, a.Target).Str(keyCause, reason), last).
			Msg("rollout failed: the previous generation serves on")
	}
	if begun {
		p.last = view
	}
	p.tellRollout(view, v.Lines)
	// A stop also ends the rollout that was queued, without a word.
	p.settle(func(w waiter) bool { return w.target == a.Target || a.Cause == machine.StopCame }, v)
	if v.Err != nil {
		p.repeatGood(a.Target)
	}
	p.sup.rolloutEnded(p, a.Target, v)
	p.prune()
}

// repeatGood corrects a rollout that waits behind one that failed: it was to be the same with another program, and the same
// is now what is known to be good.
func (p *pool) repeatGood(failed uint64) {
	for generation, e := range p.editions {
		if e.repeats == failed && generation != failed {
			good := p.editions[p.st.Generation]
			again := good.with(good.cfg)
			again.program = e.program
			p.editions[generation] = again
		}
	}
}

// blame says which worker a rollout failed of, and what it said.
func (p *pool) blame(a machine.RolloutEnded) (reason string, lines []string) {
	rec := p.workers[a.Ref]
	if a.Cause == machine.StopCame || a.Cause == machine.Aborted || rec == nil {
		return a.Cause.String(), nil
	}
	return p.fate(rec, a.Cause), rec.tail()
}

// fate says which worker failed, and how.
func (p *pool) fate(rec *record, cause machine.RolloutCause) string {
	var b strings.Builder
	fmt.Fprintf(&b, "worker %s", p.label(rec.ref.Slot))
	if rec.proc != nil {
		fmt.Fprintf(&b, " (pid %d)", rec.proc.PID())
	}
	switch {
	case rec.fault.cause != "" && rec.readyAt.IsZero():
		b.WriteString(" gave up before it was ready")
	case cause == machine.SuccessorLate || rec.asked && rec.why == machine.WhyNeverReady:
		limit := rec.edition.cfg.Spec.ReadyTimeout
		if rec.limit > 0 {
			limit = rec.limit
		}
		fmt.Fprintf(&b, " was not ready within %s", limit)
	case rec.ended.IsZero() && !rec.readyAt.IsZero():
		fmt.Fprintf(&b, " stopped working %s after it was ready: %s", time.Since(rec.readyAt).Round(1e6), rec.health.worst().detail)
	case rec.readyAt.IsZero():
		fmt.Fprintf(&b, " died before it was ready: %s", rec.ending())
	default:
		fmt.Fprintf(&b, " died %s after it was ready: %s", rec.ended.Sub(rec.readyAt).Round(1e6), rec.ending())
	}
	switch {
	case rec.fault.detail != "" && (rec.readyAt.IsZero() || !rec.ended.IsZero()):
		fmt.Fprintf(&b, ": %s", rec.fault.detail)
	case rec.probe != nil && rec.readyAt.IsZero():
		fmt.Fprintf(&b, ": %v", rec.probe)
	}
	if rec.status != "" {
		fmt.Fprintf(&b, " (its status: %s)", rec.status)
	}
	return b.String()
}
