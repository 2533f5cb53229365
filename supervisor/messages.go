package supervisor

import (
	"context"
	"os"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// message is what the mailbox carries. The set is closed: handle knows every one.
//
//sumtype:decl
type message interface{ message() }

type (
	// started: the fork and the exec are done, or failed.
	started struct {
		pool *pool
		ref  machine.Ref
		proc Process
		err  error
	}
	// exited: the leading process was reaped.
	exited struct {
		pool *pool
		ref  machine.Ref
		exit worker.Exit
		// usage of its control group, as far as it says of what it died
		usage cgroup.Usage
	}
	// unsent: a signal could not be sent to a worker.
	unsent struct {
		pool *pool
		ref  machine.Ref
		err  error
	}
	// gone: the last process of the group was reaped.
	gone struct {
		pool *pool
		ref  machine.Ref
	}
	// told: a datagram came from the worker.
	told struct {
		pool *pool
		ref  machine.Ref
		msg  handshake.Message
		err  error
	}
	// proven: a worker that starts passed a gate.
	proven struct {
		pool *pool
		ref  machine.Ref
		gate gate
		how  string
	}
	// unproven: a probe of a starting worker failed, for another reason than the last time.
	unproven struct {
		pool *pool
		ref  machine.Ref
		gate gate
		err  error
	}
	// overdue: a worker did not pass its startup probe in time.
	overdue struct {
		pool  *pool
		ref   machine.Ref
		limit time.Duration
	}
	// probed: a probe of a worker that has been ready came to another verdict.
	probed struct {
		pool    *pool
		ref     machine.Ref
		watch   int
		by      sense
		outcome probe.Outcome
	}
	// missed: a worker did not say in time that it is alive.
	missed struct {
		pool   *pool
		ref    machine.Ref
		watch  int
		missed probe.Missed
	}
	// lifetimeOver: a worker has lived long enough.
	lifetimeOver struct {
		pool  *pool
		ref   machine.Ref
		watch int
		limit time.Duration
	}
	// roundDue: it is time to look at workers.
	roundDue struct {
		pool *pool
		kind roundKind
	}
	// roundSeen: workers were looked at.
	roundSeen struct {
		pool *pool
		kind roundKind
		seen []sight
	}
	// restoreDue: a worker has had the time to reload.
	restoreDue struct {
		pool *pool
		ref  machine.Ref
	}
	// happened: something happened to a listener.
	happened struct{ event listener.Event }
	// timerEnded: a timer of the machine ended.
	timerEnded struct {
		pool   *pool
		timer  machine.Timer
		serial uint64
	}
	// surveyed: it was looked up which workers handle the reload signal.
	surveyed struct {
		pool  *pool
		begun time.Time
		safe  []machine.Ref
		reach reach
		reply replier
	}
	// rollReady: what a rollout needs beforehand was seen to, or could not be.
	rollReady struct {
		pool    *pool
		ctx     context.Context //nolint:containedctx // of the errand
		edition *edition
		kept    bool // its program is kept for this rollout alone
		reply   replier
		setback *setback
	}
	// startReady: what a pool needs before its first worker was seen to, or could not be.
	startReady struct {
		pool    *pool
		ctx     context.Context //nolint:containedctx // of the errand: if it has ended, the outcome is late
		setback *setback
	}
	// changeReady: what a change of a reload needs beforehand was seen to, or could not be.
	changeReady struct {
		transaction *transaction
		change      int
		setback     *setback
	}
	// reloadReady: a configuration was read, compared and prepared for, or could not be.
	reloadReady struct {
		transaction *transaction
		setback     *setback
	}
	// backDue: the way back of a change is to be tried again.
	backDue struct {
		transaction *transaction
		change      int
	}
	// rechecked: what a pool requires was looked at again.
	rechecked struct {
		pool    *pool
		edition *edition // of which it was asked
		at      station  // where the pool was
		unmet   []string
	}
	// loadDue: the load of a pool is to be looked at.
	loadDue struct{ pool *pool }
	// loadSeen: it was.
	loadSeen struct {
		pool *pool
		load load
	}
	// signalled: a signal came to the supervisor.
	signalled struct{ sig os.Signal }
	// publishDue: what happened since the last snapshot is to be seen.
	publishDue struct{}
	// watchdogDue: systemd wants to hear that the loop turns.
	watchdogDue struct{}
	// answered: what was asked for is known, and was found out beside the loop.
	answered struct {
		reply   replier
		verdict Verdict
	}
	// aimed: it was looked up which workers survive a signal that somebody wants to send.
	aimed struct {
		pool  *pool
		req   Request
		aims  []aim
		reply replier
	}
	// deadmanBegun: the process of the deadman runs, or never will.
	deadmanBegun struct {
		serial uint64
		proc   Process
		err    error
	}
	// deadmanGone: it has died.
	deadmanGone struct {
		serial uint64
		exit   worker.Exit
	}
	// deadmanSaid: it has something to say.
	deadmanSaid struct{ words deadman.Message }
	// unheard: it cannot be told anything.
	unheard struct {
		way *wayTo
		err error
	}
	// nudged: somebody wants to know whether the loop turns.
	nudged struct{ answer chan<- struct{} }
	// upgradeMoved: what an upgrade waited for has come, or it cannot come about.
	upgradeMoved struct {
		upgrade *upgrade
		to      upgradeStage
		next    Successor
		err     error
	}
	// requested: somebody asked for something over the API.
	requested struct {
		req   Request
		reply replier
	}
)

func (started) message()      {}
func (exited) message()       {}
func (unsent) message()       {}
func (gone) message()         {}
func (told) message()         {}
func (proven) message()       {}
func (unproven) message()     {}
func (overdue) message()      {}
func (probed) message()       {}
func (missed) message()       {}
func (lifetimeOver) message() {}
func (roundDue) message()     {}
func (roundSeen) message()    {}
func (restoreDue) message()   {}
func (happened) message()     {}
func (timerEnded) message()   {}
func (surveyed) message()     {}
func (rollReady) message()    {}
func (startReady) message()   {}
func (changeReady) message()  {}
func (reloadReady) message()  {}
func (backDue) message()      {}
func (rechecked) message()    {}
func (deadmanBegun) message() {}
func (deadmanGone) message()  {}
func (deadmanSaid) message()  {}
func (unheard) message()      {}
func (signalled) message()    {}
func (publishDue) message()   {}
func (watchdogDue) message()  {}
func (answered) message()     {}
func (aimed) message()        {}
func (nudged) message()       {}
func (upgradeMoved) message() {}
func (requested) message()    {}
func (loadDue) message()      {}
func (loadSeen) message()     {}
