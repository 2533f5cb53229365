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
	StageFork     Stage = "fork for"                    // the kernel gave no process or descriptor
	StageShim     Stage = "prepare"                     // the exec shim died or could not do its work
	StageLimit    Stage = "set a limit for"             // one of Limits was refused
	StageIdentity Stage = "change the user for"         // As was refused
	StageDir      Stage = "enter working directory for" // Dir is missing or closed to us, or to As
	StageExec     Stage = "execute"                     // execve(2) of the program, which is there
)

// ExecError says why a program never ran. It unwraps to the syscall.Errno, so
// errors.Is with fs.ErrNotExist and fs.ErrPermission works.
type ExecError struct {
	Path  string // the program, as far as it was found
	Stage Stage
	Err   error

	as    *Identity // nil: the supervisor's user
	limit Limit     // at StageLimit
}

func (e *ExecError) Error() string {
	what := fmt.Sprintf("%s %s", e.Stage, e.Path)
	switch {
	case e.Stage == StageLimit:
		what = fmt.Sprintf("set %s for %s", e.limit, e.Path)
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
	case e.Stage == StageLimit && is(syscall.EPERM):
		return " (a hard limit can only be raised with CAP_SYS_RESOURCE, and nofile not above fs.nr_open)"
	case e.Stage == StageLimit && is(syscall.EINVAL):
		return " (the soft limit is above the hard one)"
	case e.Stage == StageIdentity && is(syscall.EPERM):
		return " (that needs CAP_SETUID and CAP_SETGID)"
	case e.Stage == StageIdentity && is(syscall.EINVAL):
		return " (the user namespace has no such user or group)"
	case e.Stage == StageExec:
		return explainExec(is)
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
