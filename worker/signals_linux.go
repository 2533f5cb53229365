package worker

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NotifySignals is signal.Notify for a program that may have replaced another. Those of job control may be waiting for it:
// package signal lets them in before it handles them, and they would stop the process for good. So they are taken before,
// and sent again when they are handled.
func NotifySignals(c chan<- os.Signal, sigs ...os.Signal) {
	var waited []syscall.Signal
	for _, sig := range stopSignals() {
		if slices.Contains(sigs, os.Signal(sig)) {
			catch(sig)
			if isTaken(sig) {
				waited = append(waited, sig)
			}
		}
	}
	signal.Notify(c, sigs...)
	for _, sig := range waited {
		_ = unix.Kill(os.Getpid(), sig)
	}
}

// stopSignals stop a process that has no handler for them.
func stopSignals() []syscall.Signal {
	return []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}
}

// catch gives a signal the handler that the runtime has for others, and that does nothing with it before signal.Notify.
func catch(sig syscall.Signal) {
	var had, runtimes sigaction
	if rtSigaction(sig, nil, &had) != nil || rtSigaction(syscall.SIGUSR1, nil, &runtimes) != nil {
		return // signal.Notify installs it
	}
	if had.handler <= sigIgnore && runtimes.handler > sigIgnore {
		_ = rtSigaction(sig, &runtimes, nil)
	}
}

// isTaken takes a signal that waits.
func isTaken(sig syscall.Signal) bool {
	set, now := uint64(1)<<(sig-1), unix.Timespec{}
	n, _, _ := unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), sigsetBytes, 0, 0)
	return n == uintptr(sig)
}
