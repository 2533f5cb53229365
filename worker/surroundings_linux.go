package worker

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BecomeSubreaper makes this process the parent of every orphan among its
// descendants (PR_SET_CHILD_SUBREAPER of prctl(2)), as PID 1 is anyway. OnGone
// and Tree rely on it. Descendants forked before are covered too.
func BecomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot become subreaper: %w", err)
	}
	return nil
}

// SealInherited sets close-on-exec on every open descriptor from 3 on, so that
// what a shell or a service manager left open, listening sockets included, does
// not reach workers except by Command.Files. Call it first: descriptors opened by
// Go have the flag already.
func SealInherited() error {
	err := unix.CloseRange(3, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	// Before Linux 5.11, or under a filter that does not know the call.
	fds, err := numbers("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("cannot list open descriptors: %w", err)
	}
	for _, fd := range fds {
		if fd >= 3 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// ResetSignals undoes what this process was started with and would hand on to
// every worker: it clears the calling thread's signal mask, and restores the
// default action of signals that were ignored from the start, as nohup(1) and
// shells do it for SIGHUP and SIGINT. Spawner.Main calls it on its thread. A
// program that wants to survive such a signal has to signal.Notify it before;
// signal.Ignore is undone, because its effect would be inherited as well.
func ResetSignals() error {
	var none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil); err != nil {
		return fmt.Errorf("cannot clear signal mask: %w", err)
	}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if err := resetIgnored(sig); err != nil {
			return fmt.Errorf("cannot reset %s: %w", SignalName(sig), err)
		}
	}
	return nil
}

// sigaction is the kernel's structure (rt_sigaction(2)), large enough for every
// 64-bit architecture but MIPS: the handler comes first.
type sigaction struct {
	handler uintptr
	rest    [7]uint64
}

const (
	sigDefault  = 0
	sigIgnore   = 1
	sigsetBytes = 8
)

func resetIgnored(sig syscall.Signal) error {
	var now sigaction
	if err := rtSigaction(sig, nil, &now); err != nil || now.handler != sigIgnore {
		return err
	}
	return rtSigaction(sig, &sigaction{handler: sigDefault}, nil)
}

func rtSigaction(sig syscall.Signal, set, old *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), sigsetBytes, 0, 0)
	if errno != 0 && !errors.Is(errno, unix.EINVAL) { // EINVAL: KILL and STOP
		return errno
	}
	return nil
}
