package supervisor

import (
	"syscall"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// record is the world's side of one worker: what the machine need not know.
type record struct {
	ref        machine.Ref
	id         int
	generation uint64
	edition    *edition // of that generation
	made       time.Time
	proc       Process // nil until it runs
	output     Output
	notify     Notify
	cancel     func() // ends the watch for its readiness
	reload     bool   // it declared that it handles the reload signal
	status     string // its own words
	readyAt    time.Time
	probe      error // why the last readiness probe failed

	asked   bool // it was told to leave, and why:
	why     machine.Why
	killed  bool           // its grace was over
	relayed syscall.Signal // the last signal it was relayed, and what for:
	purpose machine.Purpose
	late    []func() // what to do as soon as it runs

	over  bool // dead, its obituary is written
	err   error
	exit  worker.Exit
	ended time.Time
}

// when runs f on the process, at once or as soon as there is one: a worker may be told to leave while it is forked.
func (r *record) when(f func(Process)) {
	if r.proc != nil {
		f(r.proc)
		return
	}
	r.late = append(r.late, func() { f(r.proc) })
}

// release gives back what the worker had. The tail of its output stays readable.
func (r *record) release() {
	r.unwatch()
	if r.notify != nil {
		_ = r.notify.Close()
		r.notify = nil
	}
	r.closeOutput()
}

// give lets another user than ours speak to us, and reopen what it writes to.
func (r *record) give(to *worker.Identity) error {
	r.notify.Trust(to.UID)
	return r.output.GiveTo(to.UID, to.GID)
}

func (r *record) closeOutput() {
	if r.output != nil {
		r.output.Close()
	}
}

func (r *record) unwatch() {
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
	}
}

// tail is the end of what it said on stderr.
func (r *record) tail() []string {
	if r.output == nil {
		return nil
	}
	return r.output.Tail(lastLines)
}

// age is how long it lived, or has lived.
func (r *record) age() time.Duration {
	begin := r.made
	if r.proc != nil {
		begin = r.proc.Started()
	}
	if r.ended.IsZero() {
		return time.Since(begin)
	}
	return r.ended.Sub(begin)
}

// causeFinished is of a worker that has done what it was there for.
const causeFinished = "finished"

// cause is the class of a death.
func (r *record) cause() string {
	switch {
	case r.err != nil:
		return "never_execed"
	case r.asked && r.why == machine.WhyNeverReady:
		return "never_ready"
	case r.killed:
		return "killed_late"
	case r.asked:
		return "stopped"
	case r.relayed != 0 && r.exit.EndedBy(r.relayed):
		return r.purpose.String() + "_signal"
	case r.clean() && r.edition.cfg.Spec.Restart != machine.RestartAlways:
		return causeFinished
	case r.readyAt.IsZero():
		return "died_young"
	case r.clean():
		return "recycled"
	default:
		return "died"
	}
}

// clean reports whether it ended as a success.
func (r *record) clean() bool { return r.err == nil && r.edition.cfg.Clean.Has(r.exit) }

// stopSignal tells it to leave.
func (r *record) stopSignal() syscall.Signal { return r.edition.cfg.Signals.Stop }

// lastExit is what the slot remembers of it.
func (r *record) lastExit() string {
	text := r.cause() + ": " + r.ending()
	if r.probe != nil && r.readyAt.IsZero() {
		text += "; " + r.probe.Error()
	}
	return text
}

// ending is how the process ended, in words.
func (r *record) ending() string {
	if r.err != nil {
		return r.err.Error()
	}
	return r.exit.String()
}
