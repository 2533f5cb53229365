package worker

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// CodeUnknown is the Code of an Exit without Signal whose status was lost,
// because something else in the program waited for the process.
const CodeUnknown = -1

// Exit is how a process ended.
type Exit struct {
	PID int
	// Code is the exit status, or CodeUnknown, as always after a signal.
	Code int
	// Signal is 0 after a regular exit.
	Signal syscall.Signal
	// Core tells that the kernel wrote, or handed on, a core dump.
	Core bool
	// Remains tells that members of the process group still live.
	Remains bool

	// Used by the process and by those of its children that it waited for.
	UserTime, SysTime time.Duration
	// MaxRSS is the largest resident set in bytes, with the same reach.
	MaxRSS int64
}

// newExit translates a wait status and resource usage of wait4(2).
func newExit(pid int, status syscall.WaitStatus, usage *syscall.Rusage) Exit {
	e := Exit{
		PID:      pid,
		Code:     CodeUnknown,
		UserTime: time.Duration(usage.Utime.Nano()),
		SysTime:  time.Duration(usage.Stime.Nano()),
		MaxRSS:   int64(usage.Maxrss) * 1024, //nolint:unconvert // 32-bit machines have an int32; Linux counts it in KiB
	}
	if status.Signaled() {
		e.Signal = status.Signal()
		e.Core = status.CoreDump()
		return e
	}
	e.Code = status.ExitStatus()
	return e
}

// Success tells whether the process exited with status 0.
func (e Exit) Success() bool { return e.Code == 0 }

// ShellCode is the status a shell would show: 128 plus the signal, or Code.
func (e Exit) ShellCode() int {
	if e.Signal != 0 {
		return 128 + int(e.Signal)
	}
	return e.Code
}

// EndedBy tells whether the process ended because of sig: killed by it, or
// exited with the status by which programs such as puma say so.
func (e Exit) EndedBy(sig syscall.Signal) bool {
	return e.Signal == sig || e.Signal == 0 && e.Code == 128+int(sig)
}

// String is the cause in words: "exit 0", "exit 143 (as of SIGTERM)",
// "SIGSEGV (core dumped)".
func (e Exit) String() string {
	var b strings.Builder
	switch {
	case e.Signal != 0:
		b.WriteString(SignalName(e.Signal))
		if e.Core {
			b.WriteString(" (core dumped)")
		}
	case e.Code == CodeUnknown:
		b.WriteString("unknown exit status")
	case e.Code > 128 && e.Code <= 128+64:
		fmt.Fprintf(&b, "exit %d (as of %s)", e.Code, SignalName(syscall.Signal(e.Code-128)))
	default:
		fmt.Fprintf(&b, "exit %d", e.Code)
	}
	if e.Remains {
		b.WriteString(", leaving processes behind")
	}
	return b.String()
}
