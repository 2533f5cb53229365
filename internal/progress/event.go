package progress

// Kind says what an event is about.
type Kind string

// The kinds of events. They are part of the output for programs.
const (
	KindWorker  Kind = "worker"  // a worker came to a state
	KindGone    Kind = "gone"    // the processes of a worker are gone
	KindRollout Kind = "rollout" // the rollout of a pool came to a state
	KindScale   Kind = "scale"   // a pool is to have another number of workers
	KindReady   Kind = "ready"   // every slot of a pool has a ready worker, after some had none
	KindPhase   Kind = "phase"   // a pool came to another phase of its life
	KindAdded   Kind = "added"   // there is a new pool
	KindRemoved Kind = "removed" // a pool is gone
	KindReload  Kind = "reload"  // the reload of the configuration came to a state
)

// Event is one thing that is different between two snapshots. Which fields have a meaning depends on the kind.
type Event struct {
	Kind Kind
	Pool string

	// Of a worker.
	Slot int
	PID  int    // 0 while it waits for its start
	Old  bool   // its generation is on its way out
	From string // the state it had before; empty for a new one

	// Of a pool.
	Done  int // slots that have a ready worker of the generation that is wanted
	Total int // workers that are wanted

	State      string // of the worker, of the rollout, of the reload, or the phase
	Generation uint64 // of the worker, or that the rollout leads to
	Reason     string // why a rollout or a reload failed; how the last worker of the slot ended, or what is wrong with this one
}

// ofWorker reports whether the event is about a worker of a slot, and not about a whole pool.
func (e *Event) ofWorker() bool { return e.Kind == KindWorker || e.Kind == KindGone }

// The words of the supervisor's snapshots; docs/api.md and docs/states.md list them.
const (
	stateWaiting  = "waiting"
	stateStarting = "starting"
	stateReady    = "ready"
	stateProving  = "proving"
	stateUnready  = "unready"
	stateFailing  = "failing"
	stateTracing  = "tracing"
	stateSettling = "settling"
	stateRetiring = "retiring"
	stateDraining = "draining"
	stateReaping  = "reaping"
	stateKilled   = "killed"
	stateFinished = "finished"

	rolloutWaiting   = "waiting"
	rolloutRolling   = "rolling"
	rolloutReverting = "reverting"
	rolloutDone      = "done"
	rolloutFailed    = "failed"

	reloadPreparing = "preparing"
	reloadApplying  = "applying"
	reloadReverting = "reverting"
	reloadDone      = "done"
	reloadFailed    = "failed"

	phaseWaiting   = "waiting"
	phasePreparing = "preparing"
	phaseServing   = "serving"
)

// leaving reports whether a worker of this state is on its way out.
func leaving(state string) bool {
	switch state {
	case stateSettling, stateRetiring, stateDraining, stateTracing, stateReaping, stateKilled:
		return true
	}
	return false
}

// killed reports whether SIGKILL was sent to a worker of this state.
func killed(state string) bool { return state == stateReaping || state == stateKilled }
