package worker

import (
	"syscall"
	"time"
)

// OrphanPolicy says what becomes of a worker whose supervisor is killed.
type OrphanPolicy uint8

const (
	// OrphanKill: the kernel kills the worker (PR_SET_PDEATHSIG of prctl(2)).
	// Only the worker itself: its children live on unless they watch it. The
	// kernel drops the request when a worker executes a set-user-ID program.
	OrphanKill OrphanPolicy = iota
	// OrphanTerm: the worker gets SIGTERM and may drain.
	OrphanTerm
	// OrphanKeep: the worker lives on, sockets and all.
	OrphanKeep
)

func (o OrphanPolicy) signal() syscall.Signal {
	switch o {
	case OrphanKill:
		return syscall.SIGKILL
	case OrphanTerm:
		return syscall.SIGTERM
	case OrphanKeep:
	}
	return 0
}

// DevNull in place of a standard descriptor stands for /dev/null.
const DevNull = -1

// Command is one process to start. The descriptors stay the caller's and must
// stay open until done is called.
type Command struct {
	// Argv is the program and its arguments. A name without a slash is looked up
	// in the PATH of Env, and a relative path is relative to Dir, anew at each
	// start, so that a rollout finds a new file.
	Argv []string
	// Env is the whole environment, passed as it is.
	Env []string
	// Dir is the working directory; empty is the supervisor's.
	Dir string
	// Files become descriptors 3, 4, ... in this order.
	Files []int
	// Stdin, Stdout and Stderr are raw descriptors, or DevNull.
	Stdin, Stdout, Stderr int
	// Path, if not empty, is what is executed: Argv[0] is only a name then.
	Path string
	// Program, if not nil, is executed instead of what Argv[0] leads to, if that
	// is another file by now. See Keep. It may be closed at any time.
	Program *Program
	// As is whose the process is, and who enters Dir; nil is the supervisor's user.
	// One that the supervisor is already needs no rights.
	As *Identity
	// Umask of the process; nil is the supervisor's.
	Umask *uint32
	// Limits are set in this order, with the supervisor's rights. Without one for
	// open files the worker has those that the supervisor was started with.
	Limits []Limit
	// Settings of the process; the zero value changes nothing. With several sets of
	// CPUs it may run on all of them.
	Settings Settings
	// PrivateTmp, if not nil, is made before the start, for As. The caller removes it
	// when the worker is gone, or never ran.
	PrivateTmp *TmpDir
	// ListenPID sets the value of LISTEN_PID and WATCHDOG_PID, where Env has
	// them, to the worker's own pid. This, As, Umask, Limits, Settings and a Program
	// that has to be executed cost a start through the exec shim; once, not each.
	ListenPID bool
	// Session has it lead a session of its own, away from our terminal. Its process group is its own in any case.
	Session bool
	// Deadman, if not nil, is told of the process before that runs its program. It costs a start through the exec shim.
	Deadman *Deadman
	// Orphans says what becomes of the worker when the supervisor dies.
	Orphans OrphanPolicy
	// Group is the control group that the process is born in; nil is the supervisor's.
	Group Group

	// OnExit, if not nil, is called once when the process has been reaped. It is
	// not called for a process that never ran its program.
	OnExit func(Exit)
	// OnGone, if not nil, is called once after OnExit, when no process of the
	// worker's group is left: at once if nothing remains. With a Group it is that
	// one which has to be empty, and its removal is over. Without, that the last
	// member left the process group without ending, as a daemon does, is noticed
	// within 250 ms.
	OnGone func()
}

// Deadman is a process that kills others when their time is over; see internal/deadman.
type Deadman struct {
	// Socket leads to it: a descriptor other than the standard ones, which stays the caller's.
	Socket int
	// Token and Sessions are what it is told.
	Token    uint64
	Sessions [2]int64
	// Until is when the time is over by what is known now, in CLOCK_BOOTTIME: the program is not run after that.
	Until time.Duration
}

// StartResult is the outcome of a Start: either Process, whose program runs (or
// has run), or Err.
type StartResult struct {
	Process *Process
	// Err is an *ExecError, or ErrStopped.
	Err error
	// Took is from the fork until the program ran.
	Took time.Duration
}
