package supervisor

import (
	"context"
	"net"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// World is everything the supervisor needs from outside. Package host fills it with the real thing, the tests with fakes.
// No function may block unless it says so, and every callback may come on any goroutine.
type World struct {
	// Sockets opens listeners.
	Sockets Sockets
	// Launch starts a process. done is called once; OnExit and OnGone of the command follow later.
	Launch func(cmd worker.Command, done func(Process, error))
	// OpenNotify opens the notification socket of one worker.
	OpenNotify func(on func(handshake.Message, error)) (Notify, error)
	// OpenOutput decides where a worker's stdout and stderr go.
	OpenOutput func(of Speaker, log plan.Log) (Output, error)
	// Reopen has log files opened by their names again, and returns how many there are. It does not wait. Nil is for none.
	Reopen func() int
	// PrivateTmp names a directory for one worker's temporary files; see worker.TmpDirs. Nil is none for any.
	PrivateTmp func(label string) *worker.TmpDir
	// Serving reports whether a process of the worker's tree waits on one of these socket inodes.
	Serving func(pid int, inodes []uint64) (bool, error)
	// ServingPort reports whether a process of the worker's tree listens on this port.
	ServingPort func(pid, port int) (bool, error)
	// Handles reports what a signal would do to a process.
	Handles func(pid int, sig syscall.Signal) (worker.Handling, error)
	// Stopped reports whether a process was stopped by a signal, not by a debugger; see worker.Stopped. It may block. Nil
	// finds all running.
	Stopped func(pid int) (bool, error)
	// Connections lists the connections of a local port that a worker's tree has open; see worker.Connections. It may block.
	// Nil sees none.
	Connections func(pid, port int) ([]uint64, error)
	// Doing says what a process is at, for people. It may block. Nil says nothing.
	Doing func(pid int) string
	// Memory measures in bytes what the processes of a worker's tree have. It may block. Nil finds nothing.
	Memory func(pid int) (uint64, error)
	// CPUTime is how much CPU a worker's tree has used since it began; see worker.CPUTime. It may block.
	CPUTime func(pid int) (time.Duration, error)
	// Census measures the trees of some workers at once; see worker.Census. It may block. Nil finds nothing.
	Census func(pids []int) (map[int]worker.Household, error)
	// Connected finds the connections of some local ports, and returns what counts those that some processes have open; see
	// worker.Connected. Both may block. Nil finds none.
	Connected func(ports []int) (held func(members []int) (int, error), err error)
	// Keep takes hold of a command's executable; see worker.Keep. It may block. Nil keeps nothing.
	Keep func(argv, env []string, dir string) (*worker.Program, error)
	// Load reads the configuration again. It may block. Nil means that there is nothing to read.
	Load func() (plan.Desired, error)
	// Check tries what a pool requires, again and again until the timeout; it returns an error for each that does not
	// hold. It may block. Nil finds everything there.
	Check func(ctx context.Context, timeout time.Duration, c Checked) []error
	// Places is where worker ids and leaders are shared with other supervisors. Nil shares none.
	Places *Places
	// Deadman opens a way to a process that is then to be launched, and that kills workers when their claims end and we do
	// not come to it. said may be called from any goroutine. Nil is none, whatever Places are.
	Deadman func(said func(deadman.Message)) (Deadman, error)
	// Groups are control groups for workers. Nil is none, and then NoGroups says why, if there is a reason.
	Groups   Groups
	NoGroups error
	// Heir takes over what the workers of another program have. It is used only where Config.Handed is.
	Heir Heir
	// Upgrader has another program take our place. Nil is none.
	Upgrader Upgrader
	// Systemd sends a state string of sd_notify(3) to the service manager, if there is one.
	Systemd func(state string)
	// WatchdogInterval is how often systemd wants to hear of us; 0 if it does not.
	WatchdogInterval time.Duration
}

// Checked is what is required, and in whose place.
type Checked struct {
	Requires []string
	Env      []string                                        // of the pool's workers
	Dir      string                                          // their working directory
	Run      func(ctx context.Context, command string) error // runs a command as one of them
}

// Process is one started worker; see worker.Process.
type Process interface {
	PID() int
	Started() time.Time
	Signal(sig syscall.Signal) error
	SignalGroup(sig syscall.Signal) error
	SignalStrays(sig syscall.Signal) error
	Describe(use func(pidfd int))
	Hand() worker.HandedProcess
}

// Notify is the notification socket of one worker; see worker.Notify.
type Notify interface {
	Address() string
	Trust(uid uint32)
	Hand() worker.HandedNotify
	Close() error
}

// Speaker is who writes to an Output: the worker of a slot, or before the workers (slot -1) a command of their pool.
type Speaker struct {
	Pool           string
	Slot, WorkerID int
}

// Output is where a worker's words go; see logs.Stream.
type Output interface {
	Stdout() int
	Stderr() int
	GiveTo(uid, gid uint32) error
	Spawned(pid int)     // the worker has its copies; 0 if it could not be started
	Tail(n int) []string // the last lines of its stderr, or of its stdout if there are none
	Hand() *HandedOutput // by which another program finds it; nil if there is nothing to find
	Close()              // after the last process of the group is gone
}

// Sockets are where listeners come from; see listener.Set.
type Sockets interface {
	// Open opens all of them or none.
	Open(wants []listener.Want) ([]Listener, error)
}

// Listener is one address; see listener.Listener.
type Listener interface {
	Name() string
	Mode() listener.Mode
	Address() listener.Address
	Datagram() bool
	FD(slot int, side listener.Side) int
	Port(slot int) int
	Inode(slot int, side listener.Side) uint64
	Steer(members []listener.Member) error
	Pin(slot int, side listener.Side, cpus []int) error
	// Outlives reports whether what waits in the queue of a place is there for the next process of our service.
	Outlives(slot int, side listener.Side) bool
	Adopt(slot int, side listener.Side) error
	Abandon(slot int, side listener.Side) error
	Restore(slot int, side listener.Side) (listener.Repair, error)
	Queue(slot int, side listener.Side) (listener.Queue, error)
	Queues() (listener.Queue, error)
	Dial(ctx context.Context, slot int, side listener.Side) (net.Conn, error)
	Grow(slots int) error
	Adjust(cfg listener.Config) error
	Pause() error
	Resume() error
	Close() error
}
