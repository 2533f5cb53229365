package supervisor

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// reach says how far a reload may go with a pool.
type reach uint8

const (
	signalOrRoll reach = iota
	signalOnly         // a pool whose workers would not survive the signal is left alone
)

// reload makes the workers read their configuration again. Whether that is a signal or a rollout is the machine's
// decision; what it has to know first is read from /proc beside the loop.
func (p *pool) reload(how reach, reply replier) {
	begun := time.Now()
	if p.st.Spec.Reload != machine.ReloadAuto || !p.accepts() {
		p.surveyed(surveyed{pool: p, begun: begun, reach: how, reply: reply})
		return
	}
	type known struct {
		ref      machine.Ref
		pid      int
		sig      syscall.Signal
		declared bool
	}
	var up []known
	for ref, rec := range p.workers {
		if w, ok := p.st.Worker(ref); ok && w.Health.Up() && rec.proc != nil {
			up = append(up, known{ref, rec.proc.PID(), rec.edition.cfg.Signals.Reload, rec.reload})
		}
	}
	p.sup.lookUp(func() {
		var safe []machine.Ref
		for _, k := range up {
			if p.sup.cfg.World.survives(k.pid, k.sig, k.declared) {
				safe = append(safe, k.ref)
			}
		}
		p.sup.mail.post(surveyed{pool: p, begun: begun, safe: safe, reach: how, reply: reply})
	})
}

// survives reports whether a process is known to handle the reload signal: the kernel shows a handler, and where the
// runtime catches everything, it declared one itself. It reads /proc, and belongs beside the loop.
func (w World) survives(pid int, sig syscall.Signal, declared bool) bool {
	handling, err := w.Handles(pid, sig)
	return err == nil && (handling == worker.Catches || handling == worker.CatchesAll && declared)
}

// surveyed goes on with a reload.
func (p *pool) surveyed(m surveyed) {
	if !p.accepts() {
		m.reply.give(Verdict{Err: p.notRunning()})
		return
	}
	sig := p.cfg().Signals.Reload
	if p.st.RollsOnReload(m.safe) {
		if m.reach == signalOnly {
			m.reply.give(Verdict{Text: fmt.Sprintf("pool %s untouched", p.name)})
			return
		}
		p.roll(p.booked(m.begun, m.reply))
		return
	}
	before := p.st.Rollout
	p.relays = relays{}
	p.beginReload(m.begun)
	p.step(machine.ReloadRequested{Safe: m.safe})
	if p.st.Rollout != before { // a handler has vanished since the survey
		p.reloading = reloading{}
		p.await(before, p.booked(m.begun, m.reply))
		return
	}
	v := p.relays.verdict(p.name, sig)
	p.reloading.failed = v.Err != nil
	if m.reach == signalOnly && v.Err != nil {
		p.reloading = reloading{}
		v = Verdict{Text: fmt.Sprintf("pool %s untouched", p.name)}
	}
	p.endReload()
	m.reply.give(v)
}

// relays counts what became of the relays of one request.
type relays struct{ sent, refused int }

func (r relays) verdict(pool string, sig syscall.Signal) Verdict {
	all := r.sent + r.refused
	switch {
	case all == 0:
		return Verdict{Err: fmt.Errorf("cannot relay %s to pool %s: %w: no worker is up", signalName(sig), pool, ErrRelay)}
	case r.sent == 0:
		return Verdict{Err: fmt.Errorf("cannot relay %s to pool %s: %w: its workers have no handler and would die of it", signalName(sig), pool, ErrRelay)}
	}
	return Verdict{Text: fmt.Sprintf("%s relayed to %d of %d workers of pool %s", signalName(sig), r.sent, all, pool)}
}

// dump answers before the last worker had its turn, but not without knowing that there is one to take it.
func (p *pool) dump() Verdict {
	if !p.accepts() {
		return Verdict{Err: p.notRunning()}
	}
	var found relays
	sig := p.cfg().Signals.Dump
	for ref, rec := range p.workers {
		if w, ok := p.st.Worker(ref); !ok || !w.Health.Up() || rec.proc == nil {
			continue
		}
		found.refused++
		if p.takes(rec, rec.edition.cfg.Signals.Dump, rec.edition.cfg.Signals.DumpNamed) == nil {
			found.sent++
			break
		}
	}
	if found.sent == 0 {
		return found.verdict(p.name, sig)
	}
	p.step(machine.DumpRequested{})
	return Verdict{Text: fmt.Sprintf("%s goes to the workers of pool %s, one at a time", signalName(sig), p.name)}
}

// relay sends a signal that its receiver may not survive, so it looks once more. A clear bit is proof that it would
// die; see docs/signals.md.
func (p *pool) relay(a machine.Relay) {
	rec := p.workers[a.Ref]
	if rec == nil || rec.proc == nil || rec.over {
		return
	}
	signals := &rec.edition.cfg.Signals
	sig, vouched := signals.Reload, rec.reload || p.st.Spec.Reload == machine.ReloadSignal
	if a.Purpose == machine.ForDump {
		sig, vouched = signals.Dump, signals.DumpNamed
	}
	if err := p.takes(rec, sig, vouched); err != nil {
		p.relays.refused++
		p.of(p.log.Warn().Err(err), rec).Str(keySignal, signalName(sig)).Stringer(keyWhy, a.Purpose).Msg("signal not relayed")
		if a.Purpose == machine.ForReload && p.st.Spec.Reload == machine.ReloadAuto {
			p.next = append(p.next, machine.RollRequested{})
		}
		return
	}
	p.relays.sent++
	rec.relayed, rec.purpose = sig, a.Purpose
	p.of(p.log.Info(), rec).Str(keySignal, signalName(sig)).Stringer(keyWhy, a.Purpose).Msg("signal relayed")
	p.send(rec, rec.proc.Signal, sig)
	if a.Purpose == machine.ForReload {
		p.reloading.tell(rec)
		p.restoreSoon(rec)
	}
}

// ErrRelay is in the chain of every error about a signal that was not relayed.
var ErrRelay = errors.New("not relayed")

// takes reports why a worker must not get a signal; nil if it may.
func (p *pool) takes(rec *record, sig syscall.Signal, vouched bool) error {
	handling, err := p.sup.cfg.World.Handles(rec.proc.PID(), sig)
	switch {
	case err != nil:
		return fmt.Errorf("cannot tell what %s does to process %d: %w", signalName(sig), rec.proc.PID(), err)
	case !mayRelay(handling, vouched):
		return fmt.Errorf("%w: %s %s", ErrRelay, signalName(sig), handling)
	}
	return nil
}

// mayRelay: the bit of a runtime that catches everything proves nothing, so there it takes somebody's word, the
// user's who named the signal or the worker's own.
func mayRelay(h worker.Handling, vouched bool) bool {
	switch h {
	case worker.Catches, worker.Ignores:
		return true
	case worker.CatchesAll:
		return vouched
	case worker.Dies, worker.Harms:
	}
	return false
}

func signalName(sig syscall.Signal) string { return worker.SignalName(sig) }
