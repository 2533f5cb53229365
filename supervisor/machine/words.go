package machine

// TimerKind says what a timer is for. A worker's timer goes with its health.
type TimerKind uint8

// The timers.
const (
	BackoffTimer TimerKind = iota // Waiting: start
	ReadyTimer                    // Starting: it never became ready
	ProvingTimer                  // Proving: it has proved itself
	SettleTimer                   // Settling: terminate
	GraceTimer                    // Retiring, Draining: kill
	TraceTimer                    // Tracing: kill
	ReapTimer                     // Reaping: do not wait any longer for its place
	DumpTimer                     // the next heap dump; it belongs to no worker
	RecycleTimer                  // the next recycling; it belongs to no worker
)

// Timer is the key of a timer. It carries the incarnation it was set for, so that a late one hits nobody else.
type Timer struct {
	Kind TimerKind
	Ref  Ref
}

// Why is the reason of a termination.
type Why uint8

// The reasons of a termination.
const (
	WhyStopping   Why = iota // the pool stops
	WhyReplaced              // a rollout replaces it
	WhyScaled                // fewer workers are wanted
	WhyNeverReady            // it did not become ready in time
	WhyAborted               // its rollout failed
	WhyRecycled              // it has served its time
	WhyLapsing               // it will have no right to its worker id, or to lead
)

// Purpose is what a relayed signal is for.
type Purpose uint8

// The purposes of a relay.
const (
	ForReload Purpose = iota
	ForDump
)

// Next is what follows the death of a worker.
type Next uint8

// What follows a death.
const (
	RestartNow   Next = iota // a new worker starts in its place
	RestartLater             // after a backoff
	RestartWhen              // when a place or a worker id is free, or its group is gone
	Succeeded                // another worker of the slot serves
	NotRestarted             // it was meant to leave, or it has finished, or the pool stops
)

// RolloutCause is how a rollout ended.
type RolloutCause uint8

// How a rollout ends.
const (
	RolledOut      RolloutCause = iota
	SuccessorDied               // it died before it was ready or had proved itself, or crashed before the rollout was through
	SuccessorLate               // it was not ready in time
	SuccessorUnfit              // it was ready, and then no more
	StopCame                    // the pool stops
	Aborted                     // somebody said so
)

// String is the word for logs, status and documents.
func (k TimerKind) String() string {
	return [...]string{"backoff", "ready", "proving", "settle", "grace", "trace", "reap", "dump", "recycle"}[k]
}

// String is the word for logs, status and documents.
func (w Why) String() string {
	return [...]string{"stopping", "replaced", "scaled down", "never ready", "rollout failed", "recycled", "its claim lapses"}[w]
}

// String is the word for logs, status and documents.
func (p Purpose) String() string { return [...]string{"reload", "dump"}[p] }

// String is the word for logs, status and documents.
func (n Next) String() string {
	return [...]string{
		"restarted at once", "restarted after a backoff", "restarted as soon as there is room",
		"another worker of the slot serves", "not restarted",
	}[n]
}

// String is the word for logs, status and documents.
func (c RolloutCause) String() string {
	return [...]string{
		"done", "a new worker died", "a new worker was not ready in time", "a new worker stopped being ready", "the pool was stopped", "aborted",
	}[c]
}
