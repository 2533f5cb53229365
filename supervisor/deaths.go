package supervisor

import (
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// lastLines is how much of a dead worker's stderr its death note quotes.
const lastLines = 10

// exited takes note that the worker's leading process was reaped.
func (p *pool) exited(m exited) {
	rec := p.workers[m.ref]
	if rec == nil {
		return
	}
	rec.exit, rec.ended = m.exit, time.Now()
	if !m.exit.Remains {
		rec.closeOutput() // so that its last words are all there
	}
	p.restore(rec) // or its successor would be blamed for what it leaves behind
	p.examine(rec, &m.usage)
	p.tellStrays(rec)
	p.die(rec, machine.Died{
		Ref: m.ref, Clean: rec.clean(), Age: rec.age(),
		Remains: m.exit.Remains, Untold: rec.asked && m.exit.Signal == rec.stopSignal(),
	})
}

func (p *pool) die(rec *record, death machine.Died) {
	rec.unwatch()
	rec.over = true
	if !rec.exit.Remains {
		p.bury(rec)
	}
	delete(p.unfit, rec)
	p.cameBack(rec, !rec.cause().isFailure())
	p.dead = append(p.dead, rec)
	p.slot(rec.ref.Slot).lastExit = rec.lastExit()
	p.step(death)
}

// gone takes note that nobody of the worker's group is left. A worker that left nobody behind is gone by its death.
func (p *pool) gone(ref machine.Ref) {
	if rec := p.workers[ref]; rec != nil && rec.exit.Remains {
		p.bury(rec)
		p.of(p.log.Info(), rec).Msg("last process of worker gone")
		p.step(machine.Gone{Ref: ref})
	}
}

// obituary is the one line about a death: who, why, how long it lived, its last words, and what happens next.
func (p *pool) obituary(a machine.Obituary) {
	rec := p.workers[a.Ref]
	if rec == nil {
		return
	}
	unasked := !rec.asked || rec.why == machine.WhyNeverReady
	cause := rec.cause()
	p.deaths[cause]++
	if unasked && cause.isFailure() {
		p.sup.workerFailed(p, rec)
		p.restartFailed(rec)
		p.recheck()
	}
	switch a.Next {
	case machine.RestartNow, machine.RestartLater, machine.RestartWhen:
		if unasked {
			p.slot(a.Ref.Slot).restarts++
		}
	case machine.Succeeded:
		if rec.fault.cause != "" { // the other worker is there because of that
			p.slot(a.Ref.Slot).restarts++
		}
	case machine.NotRestarted:
	}
	e := p.of(p.log.WithLevel(cause.severity()), rec).Str(keyCause, string(cause)).Str(keyExit, rec.ending()).
		Dur(keyAge, rec.age().Round(time.Millisecond))
	if rec.fault.detail != "" {
		e = e.Str(keyDetail, rec.fault.detail)
	}
	if cause.isFailure() {
		e = lines(e, rec.tail())
	}
	if rec.probe != nil && rec.readyAt.IsZero() {
		e = e.AnErr(keyProbe, rec.probe)
	}
	e = e.Stringer(keyNext, a.Next)
	if a.Next == machine.RestartLater {
		e = e.Dur(keyAfter, a.After.Round(time.Millisecond))
	}
	e.Msg("worker died")
	p.tellDeath(rec, a)
}
