package worker

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// NotifySignals is signal.Notify for a program that may have replaced another. Those of job control may be waiting for it:
// package signal lets them in before it has a handler for them, and they would stop the process for good. So they get the
// runtime's handler first.
func NotifySignals(c chan<- os.Signal, sigs ...os.Signal) {
	for _, sig := range stopSignals() {
		if slices.Contains(sigs, os.Signal(sig)) {
			catch(sig)
		}
	}
	signal.Notify(c, sigs...)
}

// stopSignals stop a process that has no handler for them.
func stopSignals() []syscall.Signal {
	return []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}
}

// catch gives a signal the handler that the runtime has for others. It makes no difference between them.
func catch(sig syscall.Signal) {
	var had, runtimes sigaction
	if rtSigaction(sig, nil, &had) != nil || rtSigaction(syscall.SIGUSR1, nil, &runtimes) != nil {
		return // signal.Notify installs it
	}
	if had.handler <= sigIgnore && runtimes.handler > sigIgnore {
		_ = rtSigaction(sig, &runtimes, nil)
	}
}
