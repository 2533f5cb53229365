package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// aim is a worker that is to get a signal, and what it would do to it.
type aim struct {
	ref      machine.Ref
	pid      int
	handling worker.Handling
	err      error // why that is not known
}

// signal relays a signal that somebody names. What it would do to the workers is read from /proc beside the loop.
func (p *pool) signal(req Request, reply replier) {
	aims, err := p.aims(req.Slot)
	if err != nil {
		reply.give(Verdict{Err: fmt.Errorf("cannot send %s to pool %s: %w", signalName(req.Signal), p.name, err)})
		return
	}
	p.sup.lookUp(func() {
		for i := range aims {
			t := &aims[i]
			t.handling, t.err = p.sup.cfg.World.Handles(t.pid, req.Signal)
		}
		p.sup.mail.post(aimed{pool: p, req: req, aims: aims, reply: reply})
	})
}

var errNoTarget = errors.New("no worker is up")

// aims are the workers of a slot, or of all, that a signal may go to: those that are up.
func (p *pool) aims(slot *int) ([]aim, error) {
	switch {
	case !p.accepts():
		return nil, p.notRunning()
	case slot != nil && (*slot < 0 || *slot >= len(p.st.Slots)):
		return nil, p.noSlot()
	}
	var found []aim
	for ref, rec := range p.workers {
		w, ok := p.st.Worker(ref)
		if ok && w.Health.Up() && rec.proc != nil && !rec.over && (slot == nil || *slot == ref.Slot) {
			found = append(found, aim{ref: ref, pid: rec.proc.PID()})
		}
	}
	if len(found) == 0 {
		return nil, errNoTarget
	}
	slices.SortFunc(found, func(a, b aim) int { return a.ref.Slot - b.ref.Slot })
	return found, nil
}

// aimed sends the signal to those of the workers that are still there and survive it.
func (p *pool) aimed(m aimed) {
	sent := 0
	var refused error
	for _, t := range m.aims {
		rec := p.workers[t.ref]
		if rec == nil || rec.over || rec.asked {
			continue // it is on its way out, or gone
		}
		if err := t.refusal(m.req); err != nil {
			refused = fmt.Errorf("worker %s (pid %d): %w", p.label(t.ref.Slot), t.pid, err)
			p.of(p.log.Warn().Err(err), rec).Str(keySignal, signalName(m.req.Signal)).Str(keyWhy, "request").Msg("signal not relayed")
			continue
		}
		sent++
		p.of(p.log.Info(), rec).Str(keySignal, signalName(m.req.Signal)).Str(keyWhy, "request").Msg("signal relayed")
		p.complain(rec, rec.proc.Signal(m.req.Signal))
	}
	switch {
	case sent == 0 && refused == nil:
		m.reply.give(Verdict{Err: fmt.Errorf("cannot send %s to pool %s: %w", signalName(m.req.Signal), p.name, errNoTarget)})
	case sent == 0:
		m.reply.give(Verdict{Err: fmt.Errorf("cannot send %s: %w", signalName(m.req.Signal), refused)})
	default:
		m.reply.give(Verdict{Text: fmt.Sprintf("%s sent to %d of %d workers of pool %s", signalName(m.req.Signal), sent, len(m.aims), p.name)})
	}
}

// refusal is why a worker does not get a signal; nil if it does. By force it gets also one that it dies of, but none that
// lets strangers in.
func (t *aim) refusal(req Request) error {
	switch {
	case t.handling == worker.Harms && t.err == nil:
		return fmt.Errorf("%w: %s opens its inspector, which runs any code for anybody", ErrRelay, signalName(req.Signal))
	case req.Force:
		return nil
	case t.err != nil:
		return fmt.Errorf("%w: cannot tell what it does: %w", ErrRelay, t.err)
	case !mayRelay(t.handling, false):
		return fmt.Errorf("%w: %s", ErrRelay, dangerOf(req.Signal, t.handling))
	}
	return nil
}

// dangerOf is what speaks against a signal.
func dangerOf(sig syscall.Signal, h worker.Handling) string {
	if h == worker.CatchesAll {
		return "its runtime catches every signal and may die of " + signalName(sig) + " all the same; force sends it"
	}
	return "it has no handler for " + signalName(sig) + " and would die or stop; force sends it"
}
