package supervisor

import (
	"context"
	"net"
	"syscall"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// World is everything the supervisor needs from outside. cmd/brood fills it with the real thing, the tests with fakes.
// No function may block, and every callback may come on any goroutine.
type World struct {
	// Launch starts a process. done is called once; OnExit and OnGone of the command follow later.
	Launch func(cmd worker.Command, done func(Process, error))
	// OpenNotify opens the notification socket of one worker.
	OpenNotify func(on func(handshake.Message, error)) (Notify, error)
	// OpenOutput decides where a worker's stdout and stderr go; label is pool.slot.
	OpenOutput func(label string) (Output, error)
	// Serving reports whether a process of the worker's tree waits on one of these socket inodes.
	Serving func(pid int, inodes []uint64) (bool, error)
	// ServingPort reports whether a process of the worker's tree listens on this port.
	ServingPort func(pid, port int) (bool, error)
	// Handles reports what a signal would do to a process.
	Handles func(pid int, sig syscall.Signal) (worker.Handling, error)
	// Systemd sends a state string of sd_notify(3) to the service manager, if there is one.
	Systemd func(state string)
	// WatchdogInterval is how often systemd wants to hear of us; 0 if it does not.
	WatchdogInterval time.Duration
}

// Process is one started worker; see worker.Process.
type Process interface {
	PID() int
	Started() time.Time
	Signal(sig syscall.Signal) error
	SignalGroup(sig syscall.Signal) error
}

// Notify is the notification socket of one worker; see worker.Notify.
type Notify interface {
	Address() string
	Close() error
}

// Output is where a worker's words go; see logs.Stream.
type Output interface {
	Stdout() int
	Stderr() int
	Spawned()            // the worker has its copies
	Tail(n int) []string // the last lines of its stderr
	Close()              // after the last process of the group is gone
}

// Sockets are the listeners of a pool; see listener.Set.
type Sockets interface {
	Grow(slots int) error
}

// Listener is one address of a pool; see listener.Listener.
type Listener interface {
	Name() string
	Mode() listener.Mode
	Address() listener.Address
	Datagram() bool
	FD(slot int, side listener.Side) int
	Port(slot int) int
	Inode(slot int, side listener.Side) uint64
	Steer(members []listener.Member) error
	Adopt(slot int, side listener.Side) error
	Abandon(slot int, side listener.Side) error
	Restore(slot int, side listener.Side) (listener.Repair, error)
	Dial(ctx context.Context, slot int, side listener.Side) (net.Conn, error)
}
