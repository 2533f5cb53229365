package supervisor

import (
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// Config describes a supervisor. It is not changed after New.
type Config struct {
	Name    string
	Version string
	Log     zerolog.Logger
	World   World
	Pools   []PoolConfig
}

// PoolConfig describes one pool: identical workers of one command.
type PoolConfig struct {
	Name      string
	Spec      machine.Spec
	Recipe    *worker.Recipe
	Sockets   Sockets
	Listeners []Listener
	Ready     Readiness
	Signals   Signals
	Orphans   worker.OrphanPolicy
}

// Signals are what a pool's workers understand.
type Signals struct {
	Stop   syscall.Signal // SIGTERM by default; nginx and php-fpm stop gracefully on SIGQUIT
	Reload syscall.Signal // SIGHUP by default
	Dump   syscall.Signal // SIGUSR2 by default
	// DumpNamed: the user named the dump signal, and so vouches for a handler where the kernel cannot tell.
	DumpNamed bool
}

// ReadyKind says what proves that a worker serves.
type ReadyKind uint8

// The proofs of readiness.
const (
	ReadyAuto   ReadyKind = iota // READY=1, or it waits on its socket, or it stays alive for a while
	ReadyNotify                  // READY=1 alone
	ReadyHTTP                    // a GET of Path answers 2xx or 3xx
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

const (
	// aliveFor is how long a worker without sockets has to live to count as ready, if nothing else is asked for:
	// longer than it takes a program to find its configuration wrong.
	aliveFor = time.Second
	// assumeAfter ends the wait for a worker that is not seen on its sockets: it may use a way of waiting that /proc
	// does not show, such as io_uring. Nothing is lost if it is slow instead, since its connections queue.
	assumeAfter = 10 * time.Second
)
