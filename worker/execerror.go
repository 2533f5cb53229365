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
	StageLookup Stage = "find"                        // the program is not there, or not executable
	StageFork   Stage = "fork for"                    // the kernel gave no process or descriptor
	StageDir    Stage = "enter working directory for" // Dir is missing or closed to us
	StageShim   Stage = "prepare"                     // the exec shim died or could not do its work
	StageExec   Stage = "execute"                     // execve(2) of the program, which is there
)

// ExecError says why a program never ran. It unwraps to the syscall.Errno, so
// errors.Is with fs.ErrNotExist and fs.ErrPermission works.
type ExecError struct {
	Path  string // the program, as far as it was found
	Stage Stage
	Err   error
}

func (e *ExecError) Error() string {
	return fmt.Sprintf("cannot %s %s: %v%s", e.Stage, e.Path, e.Err, e.explain())
}

func (e *ExecError) Unwrap() error { return e.Err }

// explain adds what the bare errno of execve(2) hides.
func (e *ExecError) explain() string {
	if e.Stage != StageExec {
		return ""
	}
	switch {
	case errors.Is(e.Err, syscall.ENOENT):
		return " (the interpreter of its first line, or its dynamic loader, is missing)"
	case errors.Is(e.Err, syscall.ENOEXEC):
		return " (neither a binary of this machine nor a script that begins with #!)"
	case errors.Is(e.Err, syscall.E2BIG):
		return " (arguments and environment together, or one of them, are too long)"
	case errors.Is(e.Err, syscall.ETXTBSY):
		return " (it is being written)"
	}
	return ""
}
