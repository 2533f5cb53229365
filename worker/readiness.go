package worker

import (
	"syscall"
	"time"
)

// ReadyKind says what proves that a worker serves.
type ReadyKind uint8

// The proofs of readiness.
const (
	ReadyAuto   ReadyKind = iota // READY=1, or it waits on its socket, or it stays alive for a while
	ReadyNotify                  // READY=1 alone
	ReadyHTTP                    // a GET of Path answers 2xx or 3xx
	ReadyTCP                     // its own port accepts a connection; only a per-slot listener can prove that
	ReadyExec                    // Command ends with 0
	ReadyDelay                   // it stays alive for Delay
)

// Readiness is a pool's proof of readiness.
type Readiness struct {
	Kind    ReadyKind
	Path    string
	Command string
	Delay   time.Duration
}

// Signals are what a pool's workers understand.
type Signals struct {
	Stop   syscall.Signal // SIGTERM by default; nginx and php-fpm stop gracefully on SIGQUIT
	Reload syscall.Signal // SIGHUP by default
	Dump   syscall.Signal // SIGUSR2 by default
	// DumpNamed: the user named the dump signal, and so vouches for a handler where the kernel cannot tell.
	DumpNamed bool
}
