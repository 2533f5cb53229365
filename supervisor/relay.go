package supervisor

import (
	"syscall"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// reload makes the workers read their configuration again. Whether that is a signal or a rollout is the machine's
// decision; what it has to know first is read from /proc beside the loop.
func (p *pool) reload(reply replyFunc) {
	if p.st.Spec.Reload != machine.ReloadAuto || p.st.Phase != machine.Serving {
		p.surveyed(surveyed{pool: p, reply: reply})
		return
	}
	type known struct {
		ref      machine.Ref
		pid      int
		declared bool
	}
	var ready []known
	for ref, rec := range p.workers {
		if w, ok := p.st.Worker(ref); ok && w.Health == machine.Ready && rec.proc != nil {
			ready = append(ready, known{ref, rec.proc.PID(), rec.reload})
		}
	}
	p.sup.goOn(func() {
		var safe []machine.Ref
		for _, k := range ready {
			handling, err := p.sup.cfg.World.Handles(k.pid, p.cfg.Signals.Reload)
			if err == nil && (handling == worker.Catches || handling == worker.CatchesAll && k.declared) {
				safe = append(safe, k.ref)
			}
		}
		p.sup.mail.post(surveyed{pool: p, safe: safe, reply: reply})
	})
}

// surveyed goes on with a reload.
func (p *pool) surveyed(m surveyed) {
	if p.st.Phase != machine.Serving {
		m.reply(Verdict{Err: ErrStopped})
		return
	}
	before := p.st.Rollout
	p.step(machine.ReloadRequested{Safe: m.safe})
	if p.st.Rollout != before {
		p.await(m.reply)
		return
	}
	m.reply(Verdict{Text: "reload signal relayed"})
}

// relay sends a signal that its receiver may not survive, so it looks once more. A clear bit is proof that it would
// die; see docs/signals.md.
func (p *pool) relay(a machine.Relay) {
	rec := p.workers[a.Ref]
	if rec == nil || rec.proc == nil || rec.over {
		return
	}
	sig, named := p.cfg.Signals.Reload, p.st.Spec.Reload == machine.ReloadSignal
	if a.Purpose == machine.ForDump {
		sig, named = p.cfg.Signals.Dump, p.cfg.Signals.DumpNamed
	}
	handling, err := p.sup.cfg.World.Handles(rec.proc.PID(), sig)
	if err != nil || !mayRelay(handling, named || rec.reload) {
		p.of(p.log.Warn().Err(err), rec).Str(keySignal, signalName(sig)).Stringer(keyWhy, a.Purpose).
			Msg("signal not relayed: the worker has no handler and would die of it")
		if a.Purpose == machine.ForReload && p.st.Spec.Reload == machine.ReloadAuto {
			p.step(machine.RollRequested{})
		}
		return
	}
	rec.relayed, rec.purpose = sig, a.Purpose
	p.of(p.log.Info(), rec).Str(keySignal, signalName(sig)).Stringer(keyWhy, a.Purpose).Msg("signal relayed")
	p.complain(rec, rec.proc.Signal(sig))
}

// mayRelay: the bit of a runtime that catches everything proves nothing, so there it takes somebody's word, the
// user's who named the signal or the worker's own.
func mayRelay(h worker.Handling, vouched bool) bool {
	switch h {
	case worker.Catches, worker.Ignores:
		return true
	case worker.CatchesAll:
		return vouched
	case worker.Dies:
	}
	return false
}

func signalName(sig syscall.Signal) string { return worker.SignalName(sig) }
