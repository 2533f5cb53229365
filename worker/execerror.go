package worker

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrStopped is the result of starts that were still queued, or came, after the
// spawner was told to stop.
var ErrStopped = errors.New("spawner has stopped")

// errShimDied is the cause of an ExecError when the exec shim ended, or was
// killed, without having reached the program.
var errShimDied = errors.New("the process ended before it came to that")

// Stage is the step of a start at which it failed.
type Stage string

// The stages in their order.
const (
	StageLookup   Stage = "find"                        // the program is not there, or not executable
	StageTmp      Stage = "make temporary directory of" // Command.PrivateTmp could not be made, or given to As
	StageFork     Stage = "fork for"                    // the kernel gave no process or descriptor
	StageShim     Stage = "prepare"                     // the exec shim died or could not do its work
	StageLimit    Stage = "set a limit for"             // one of Limits was refused
	StageNice     Stage = "set nice for"                // Settings.Nice was refused
	StageIO       Stage = "set ioprio for"              // Settings.IOPriority was refused
	StageOOM      Stage = "set oom_score_adj for"       // Settings.OOMScoreAdj was refused
	StageCPUs     Stage = "set cpus for"                // none of Settings.CPUs can be had
	StageBound    Stage = "bound capabilities for"      // the supervisor may not take capabilities away
	StageIdentity Stage = "change the user for"         // As was refused
	StageDir      Stage = "enter working directory for" // Dir is missing or closed to us, or to As
	StageKeep     Stage = "keep capabilities for"       // the supervisor does not have one of Settings.Capabilities
	StageNoPrivs  Stage = "set no_new_privs for"        // Settings.NoNewPrivs was refused
	StageDeadman  Stage = "tell the deadman of"         // nobody would kill it in time, or its time is over
	StageExec     Stage = "execute"                     // execve(2) of the program, which is there
)

// ExecError says why a program never ran. It unwraps to the syscall.Errno, so
// errors.Is with fs.ErrNotExist and fs.ErrPermission works.
type ExecError struct {
	Path  string // the program, as far as it was found
	Stage Stage
	Err   error

	as      *Identity // nil: the supervisor's user
	setting string    // what was refused; "" at other stages
}

func (e *ExecError) Error() string {
	what := fmt.Sprintf("%s %s", e.Stage, e.Path)
	switch {
	case e.setting != "":
		what = fmt.Sprintf("%s for %s", e.setting, e.Path)
	case e.as == nil:
	case e.Stage == StageIdentity:
		what = fmt.Sprintf("run %s as user %s", e.Path, e.as)
	default:
		what += " as user " + e.as.String()
	}
	return fmt.Sprintf("cannot %s: %v%s", what, e.Err, e.explain())
}

func (e *ExecError) Unwrap() error { return e.Err }

// explain adds what the bare errno of a system call hides.
func (e *ExecError) explain() string {
	is := func(errno syscall.Errno) bool { return errors.Is(e.Err, errno) }
	switch {
	case e.Stage == StageLimit && is(syscall.EINVAL):
		return " (the soft limit is above the hard one)"
	case e.setting != "" && (is(syscall.EPERM) || is(syscall.EACCES)):
		return explainRefusal(e.Stage)
	case e.Stage == StageTmp && is(syscall.EPERM):
		return " (that needs CAP_CHOWN)"
	case e.Stage == StageCPUs && is(syscall.EINVAL):
		return " (the machine, or the cpuset of the cgroup, has none of them)"
	case e.Stage == StageIdentity && is(syscall.EPERM):
		return " (that needs CAP_SETUID and CAP_SETGID)"
	case e.Stage == StageIdentity && is(syscall.EINVAL):
		return " (the user namespace has no such user or group)"
	case e.Stage == StageDeadman && is(syscall.ETIME):
		return " (its claims have ended)"
	case e.Stage == StageExec:
		return explainExec(is)
	}
	return ""
}

// explainRefusal says which right is missing.
func explainRefusal(s Stage) string {
	switch s { //nolint:exhaustive // the others need no right
	case StageLimit:
		return " (a hard limit can only be raised with CAP_SYS_RESOURCE, and nofile not above fs.nr_open)"
	case StageNice:
		return " (less than what brood has needs CAP_SYS_NICE, or the limit RLIMIT_NICE)"
	case StageIO:
		return " (realtime needs CAP_SYS_NICE)"
	case StageOOM:
		return " (less than what brood has needs CAP_SYS_RESOURCE)"
	case StageBound:
		return " (to take capabilities away for good needs CAP_SETPCAP)"
	case StageKeep:
		return " (brood does not have it, and cannot hand it on)"
	}
	return ""
}

func explainExec(is func(syscall.Errno) bool) string {
	switch {
	case is(syscall.ENOENT):
		return " (the interpreter of its first line, or its dynamic loader, is missing)"
	case is(syscall.ENOEXEC):
		return " (neither a binary of this machine nor a script that begins with #!)"
	case is(syscall.E2BIG):
		return " (arguments and environment together, or one of them, are too long)"
	case is(syscall.ETXTBSY):
		return " (it is being written)"
	case is(syscall.EAGAIN):
		return " (the user has as many processes as the limit nproc allows)"
	}
	return ""
}
