package supervisor

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/machine"
)

// ErrRestart is in the chain of every restart of a slot that failed: its worker serves on, and is replaced later.
var ErrRestart = errors.New("restart failed")

var (
	errWaits  = errors.New("its next worker waits for its start")
	errLeaves = errors.New("its worker is leaving already")
)

// restart is a worker that somebody wants to see replaced.
type restart struct {
	ref   machine.Ref
	pid   int
	reply replier
}

// restart replaces the worker of a slot as one that has served its time: its successor is ready first, and it begins when
// there is nothing else to do. The answer comes when the worker is gone, or when its successor has failed.
func (p *pool) restart(req Request, reply replier) {
	rec, err := p.restarted(*req.Slot)
	if err != nil {
		reply.give(Verdict{Err: fmt.Errorf("cannot restart slot %d of pool %s: %w", *req.Slot, p.name, err)})
		return
	}
	p.restarts = append(p.restarts, restart{ref: rec.ref, pid: rec.proc.PID(), reply: reply})
	p.recycle(rec, "restart", func(e *zerolog.Event) *zerolog.Event { return e })
}

// restarted is the worker of a slot that a restart replaces: the one that is up, of two the newer one.
func (p *pool) restarted(slot int) (*record, error) {
	if !p.accepts() {
		return nil, p.notRunning()
	}
	if slot < 0 || slot >= min(len(p.st.Slots), p.st.Spec.Workers) {
		return nil, p.noSlot()
	}
	var found *record
	leaves := false
	for side, w := range p.st.Slots[slot].Workers {
		rec := p.workers[machine.Ref{Slot: slot, Side: machine.Side(side), Inc: w.Inc}]
		switch {
		case rec == nil || rec.proc == nil:
		case w.Health != machine.Starting && !w.Health.Up():
			leaves = true
		case found == nil || rec.ref.Inc > found.ref.Inc:
			found = rec
		}
	}
	switch {
	case found != nil:
		return found, nil
	case leaves:
		return nil, errLeaves
	}
	return nil, errWaits
}

func (p *pool) noSlot() error {
	return fmt.Errorf("%w (there are 0 to %d)", ErrNoSlot, p.st.Spec.Workers-1)
}

// settleRestarts answers those who wait for the end of a worker that is gone by now, and whose slot is served.
func (p *pool) settleRestarts() {
	if len(p.restarts) == 0 {
		return
	}
	p.restarts = slices.DeleteFunc(p.restarts, func(r restart) bool {
		v, ended := p.restartEnd(r)
		if ended {
			r.reply.give(v)
		}
		return ended
	})
}

func (p *pool) restartEnd(r restart) (Verdict, bool) {
	what := fmt.Sprintf("slot %d of pool %s", r.ref.Slot, p.name)
	switch _, there := p.st.Worker(r.ref); {
	case p.st.Phase != machine.Serving:
		return Verdict{Err: fmt.Errorf("cannot restart %s: %w", what, ErrStopped)}, true
	case r.ref.Slot >= min(len(p.st.Slots), p.st.Spec.Workers):
		return Verdict{Err: fmt.Errorf("cannot restart %s: %w", what, p.noSlot())}, true
	case there:
		return Verdict{}, false
	}
	for side, w := range p.st.Slots[r.ref.Slot].Workers {
		rec := p.workers[machine.Ref{Slot: r.ref.Slot, Side: machine.Side(side), Inc: w.Inc}]
		switch {
		case rec == nil || rec.proc == nil:
		case w.Health == machine.Ready:
			return Verdict{Text: fmt.Sprintf("%s is served by process %d in place of %d", what, rec.proc.PID(), r.pid)}, true
		}
	}
	return Verdict{}, false
}

// restartFailed tells who waits for the restart of a slot that its new worker has failed. The slot goes on trying.
func (p *pool) restartFailed(rec *record) {
	p.restarts = slices.DeleteFunc(p.restarts, func(r restart) bool {
		if r.ref.Slot != rec.ref.Slot || r.ref.Inc >= rec.ref.Inc {
			return false
		}
		r.reply.give(Verdict{
			Err: fmt.Errorf("cannot restart slot %d of pool %s: %w: %s; it is tried again",
				r.ref.Slot, p.name, ErrRestart, p.fate(rec, machine.SuccessorDied)),
			Lines: rec.tail(),
		})
		return true
	})
}

// dropRestarts answers everybody who waits for one.
func (p *pool) dropRestarts(v Verdict) {
	for _, r := range p.restarts {
		r.reply.give(v)
	}
	p.restarts = nil
}
