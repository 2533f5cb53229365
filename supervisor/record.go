package supervisor

import (
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/probe"
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
	proc       Process   // nil until it runs
	born       time.Time // when that began, as people are shown it: the same to the nanosecond in every program
	output     Output
	notify     Notify
	gate       gate              // what it has to pass next, before it is ready
	notified   bool              // it said READY=1
	watch      int               // counts the watches; news of an earlier one is late
	cancels    []func()          // end the watch at hand
	lanes      map[Listener]turn // who may connect to its socket of a listener, where there can be one at a time
	health     health
	hang       hangWatch
	watchdog   *probe.Watchdog // nil if it need not say anything
	beats      int             // how often the watchdog heard of it
	service    service
	tmp        *worker.TmpDir // nil is none
	group      Group          // nil if there is none
	lost       []bereaved     // claims that it may still use
	mortal     mortal         // what the deadman knows of it
	courier    courier        // of its signals, if there is one
	leaves     bool           // it has said that it is stopping
	garbled    int            // messages of it that were none
	reload     bool           // it declared that it handles the reload signal
	status     string         // its own words
	readyAt    time.Time
	probe      error         // why it is not ready: what was seen last
	limit      time.Duration // of its startup probe, if that is over

	asked   bool // it was told to leave, and why:
	why     machine.Why
	killed  bool           // its grace was over, or it did not work:
	fault   complaint      // why it is killed in that case
	relayed syscall.Signal // the last signal it was relayed, and what for:
	purpose machine.Purpose
	unborn  bool     // nobody has forked it: another program is about to go on in our place
	late    []func() // what to do as soon as it runs

	over bool // dead, its obituary is written
	// oomKilled: the kernel killed it because there was no memory left.
	oomKilled bool
	err       error
	exit      worker.Exit
	ended     time.Time
}

func newRecord(a machine.Start, e *edition) *record {
	return &record{ref: a.Ref, id: a.ID, generation: a.Generation, edition: e, made: time.Now(), lanes: map[Listener]turn{}}
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
	if r.tmp != nil {
		r.tmp.Remove()
		r.tmp = nil
	}
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

// unwatch ends the watch at hand, for readiness or for health.
func (r *record) unwatch() {
	for _, cancel := range r.cancels {
		cancel()
	}
	r.cancels = nil
	r.watch++
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

// clean reports whether it ended as a success.
func (r *record) clean() bool { return r.err == nil && r.edition.cfg.Clean.Has(r.exit) }

// stopSignal tells it to leave.
func (r *record) stopSignal() syscall.Signal { return r.edition.cfg.Signals.Stop }

// lastExit is what the slot remembers of it.
func (r *record) lastExit() string {
	text := string(r.cause()) + ": " + r.ending()
	if r.fault.detail != "" {
		text += "; " + r.fault.detail
	}
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
