package supervisor

import (
	"syscall"

	"github.com/broodctl/brood/supervisor/machine"
)

// trace asks a worker that does not work to say where it hangs: most runtimes dump their stacks, or their core, on
// SIGABRT. A stopped one would have to run for that, and take what waits in its queue along before it dies; where it hangs
// is known. What follows is the machine's decision.
func (p *pool) trace(ref machine.Ref) {
	rec := p.workers[ref]
	if rec == nil {
		return
	}
	rec.unwatch()
	p.condemn(rec)
	rec.when(func(proc Process) {
		if !rec.hang.stopped.IsZero() {
			p.of(p.log.Error(), rec).Str(keyCause, string(rec.fault.cause)).Str(keyDetail, rec.fault.detail).
				Msg("worker does not work, and is killed at once because it is stopped")
			p.send(rec, proc.SignalGroup, syscall.SIGKILL)
			return
		}
		p.of(p.log.Error(), rec).Str(keyCause, string(rec.fault.cause)).Str(keyDetail, rec.fault.detail).
			Msg("worker does not work, asked for a trace")
		p.send(rec, proc.Signal, syscall.SIGABRT)
		p.send(rec, proc.Signal, syscall.SIGCONT) // it may have been stopped since somebody looked
	})
}

// killMessage says why a worker is killed; log messages are constant.
func (p *pool) killMessage(rec *record) string {
	switch {
	case p.st.Phase == machine.Exited:
		return "worker killed: the exit is forced"
	case rec.fault.cause != "":
		return "worker killed: it does not work"
	}
	return "worker killed: it did not leave in time"
}
