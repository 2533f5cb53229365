package supervisor

import (
	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/machine"
)

// Cause is the class of a worker's death, in logs, in the status and in what is counted.
type Cause string

// The causes. Of several the first one counts that explains the others.
const (
	CauseNeverExeced  Cause = "never_execed"  // there was never a process
	CauseNeverReady   Cause = "never_ready"   // it was given up before it was ready
	CauseDiedYoung    Cause = "died_young"    // before it was ready
	CauseDied         Cause = "died"          // after that
	CauseOOM          Cause = "oom"           // the kernel killed it, because it had reached its limit of memory
	CauseWatchdog     Cause = "watchdog"      // replaced: it had not said WATCHDOG=1 in time, or had asked for this itself
	CauseHang         Cause = "hang"          // killed: it was stopped, or did not accept its connections
	CauseProbe        Cause = "probe"         // killed: it did not pass its liveness probe
	CauseReloadSignal Cause = "reload_signal" // of the reload signal that was relayed to it
	CauseDumpSignal   Cause = "dump_signal"   // of the dump signal
	CauseRecycled     Cause = "recycled"      // it had served its time, in brood's opinion or in its own
	CauseStopped      Cause = "stopped"       // told to leave
	CauseKilledLate   Cause = "killed_late"   // killed when its grace was over: it was told to leave, or had said that it would
	CauseFinished     Cause = "finished"      // it has done what it was there for
)

// Causes lists them all.
func Causes() []Cause {
	return []Cause{
		CauseNeverExeced, CauseNeverReady, CauseDiedYoung, CauseDied, CauseOOM, CauseWatchdog, CauseHang, CauseProbe,
		CauseReloadSignal, CauseDumpSignal, CauseRecycled, CauseStopped, CauseKilledLate, CauseFinished,
	}
}

// cause is the class of a death.
func (r *record) cause() Cause {
	switch {
	case r.err != nil:
		return CauseNeverExeced
	case r.oomKilled:
		return CauseOOM
	case r.fault.cause != "":
		return r.fault.cause
	case r.asked && r.why == machine.WhyNeverReady:
		return CauseNeverReady
	case r.killed:
		return CauseKilledLate
	case r.asked && r.why == machine.WhyRecycled:
		return CauseRecycled
	case r.asked:
		return CauseStopped
	case r.relayed != 0 && r.exit.EndedBy(r.relayed):
		return signalCause(r.purpose)
	case r.clean() && r.edition.cfg.Spec.Restart != machine.RestartAlways:
		return CauseFinished
	case r.readyAt.IsZero():
		return CauseDiedYoung
	case r.clean():
		return CauseRecycled
	default:
		return CauseDied
	}
}

func signalCause(p machine.Purpose) Cause {
	if p == machine.ForDump {
		return CauseDumpSignal
	}
	return CauseReloadSignal
}

// isFailure tells the deaths that are news from those that are the end of a worker's work.
func (c Cause) isFailure() bool { return c.severity() != zerolog.InfoLevel }

func (c Cause) severity() zerolog.Level {
	switch c {
	case CauseStopped, CauseRecycled, CauseFinished:
		return zerolog.InfoLevel
	case CauseNeverExeced, CauseNeverReady, CauseOOM, CauseWatchdog, CauseHang, CauseProbe:
		return zerolog.ErrorLevel
	case CauseDiedYoung, CauseDied, CauseReloadSignal, CauseDumpSignal, CauseKilledLate:
	}
	return zerolog.WarnLevel
}
