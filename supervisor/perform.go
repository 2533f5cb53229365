package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// perform does what the machine decided. Nothing in it blocks.
func (p *pool) perform(actions []machine.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case machine.Steer:
			p.steerTo = a.Members
			p.remind()
		case machine.Adopt:
			p.eachListener("cannot adopt queue", func(l Listener) error { return l.Adopt(a.Place.Slot, side(a.Place.Side)) })
		case machine.Abandon:
			p.steer()
			p.eachListener("cannot abandon queue", func(l Listener) error { return l.Abandon(a.Place.Slot, side(a.Place.Side)) })
		case machine.Ask:
			p.claim(a)
		case machine.Unask:
			p.unclaim(a)
		case machine.Release:
			p.giveUp(a)
		case machine.Start:
			p.launch(a)
		case machine.Terminate:
			p.steer()
			p.terminate(a)
		case machine.TerminateRemains:
			p.steer()
			p.terminateRemains(a.Ref)
		case machine.Trace:
			p.steer()
			p.trace(a.Ref)
		case machine.Kill:
			p.steer()
			p.kill(a.Ref)
		case machine.Relay:
			p.relay(a)
		case machine.SetTimer:
			p.setTimer(a)
		case machine.StopTimer:
			if t, ok := p.timers[a.Timer]; ok {
				t.Stop()
				delete(p.timers, a.Timer)
			}
		case machine.Obituary:
			p.obituary(a)
		case machine.RolloutStarted:
			p.rolloutStarted(a)
		case machine.RolloutEnded:
			p.rolloutEnded(a)
		case machine.GaveUp:
			p.log.Error().Int(keySlot, a.Slot).Int(keyFailures, a.Failures).Msg("gave up: too many failures in a row")
		case machine.StillHere:
			p.stillHere(a)
		case machine.Exit:
			p.code = a.Code
		default:
			panic(fmt.Sprintf("supervisor: unknown action %T", action))
		}
	}
}

func (p *pool) setTimer(a machine.SetTimer) {
	p.serial++
	serial := p.serial
	p.timers[a.Timer] = timer{serial: serial, ends: time.Now().Add(a.After), Timer: time.AfterFunc(a.After, func() {
		p.sup.mail.post(timerEnded{pool: p, timer: a.Timer, serial: serial})
	})}
}

// timerEnded passes on the end of a timer that was not stopped meanwhile.
func (p *pool) timerEnded(m timerEnded) {
	if p.timers[m.timer].serial != m.serial {
		return
	}
	delete(p.timers, m.timer)
	p.step(machine.TimerFired{Timer: m.timer})
}

func (p *pool) terminate(a machine.Terminate) {
	rec := p.workers[a.Ref]
	if rec == nil {
		return
	}
	rec.unwatch()
	delete(p.unfit, rec)
	rec.asked, rec.why = true, a.Why
	rec.when(func(proc Process) {
		e := p.of(p.log.Info(), rec).Str(keySignal, signalName(rec.stopSignal())).Stringer(keyWhy, a.Why)
		if rec.fault.detail != "" {
			e = e.Str(keyDetail, rec.fault.detail)
		}
		e.Msg("worker told to leave")
		way := proc.Signal
		if rec.over {
			way = proc.SignalGroup // its leader is gone, others are not
		}
		p.send(rec, way, rec.stopSignal())
		p.send(rec, way, syscall.SIGCONT) // a stopped process would keep the signal for later
	})
}

func (p *pool) kill(ref machine.Ref) {
	rec := p.workers[ref]
	if rec == nil {
		return
	}
	rec.unwatch()
	p.condemn(rec)
	rec.killed = true
	message := p.killMessage(rec)
	rec.when(func(proc Process) {
		e := p.of(p.log.Warn(), rec)
		if rec.fault.detail != "" {
			e = e.Str(keyDetail, rec.fault.detail)
		}
		e.Strs(keyLastLines, rec.tail()).Msg(message)
		p.send(rec, proc.SignalGroup, syscall.SIGKILL)
	})
}

func (p *pool) terminateRemains(ref machine.Ref) {
	if rec := p.workers[ref]; rec != nil {
		rec.when(func(proc Process) { p.send(rec, proc.SignalGroup, rec.stopSignal()) })
	}
}

// complain logs a signal that could not be sent. To be late is no error: the news of the death is on its way.
func (p *pool) complain(rec *record, err error) {
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.of(p.log.Error().Err(err), rec).Msg("cannot signal worker")
	}
}

func (p *pool) stillHere(a machine.StillHere) {
	var left []int
	for _, rec := range p.workers {
		if rec.proc != nil && !rec.over {
			left = append(left, rec.proc.PID())
		}
	}
	p.log.Warn().Int(keyTerms, p.sup.terms).Int(keyWorkers, a.Workers).Ints(keyPID, left).
		Msg("termination asked for again; the fourth time everything is killed")
	p.sup.systemd.extend(p.st.Spec.Grace)
}
