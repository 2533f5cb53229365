package supervisor

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/worker"
)

// fakeDeadman writes down what it is told. It kills nobody by itself.
type fakeDeadman struct {
	world *world
	fd    int

	mu        sync.Mutex
	said      func(deadman.Message)
	deadlines map[int64]time.Duration
	watched   map[uint64]int // pids
	sessions  map[uint64]deadman.Sessions
	deaf      error
	closed    bool
	dismissed bool
}

// firstDeadman is the descriptor of the first one.
const firstDeadman = 1000

func (w *world) openDeadman(said func(deadman.Message)) (Deadman, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noGuard != nil {
		return nil, w.noGuard
	}
	d := &fakeDeadman{
		world: w, fd: firstDeadman + len(w.deadmen), said: said,
		deadlines: map[int64]time.Duration{}, watched: map[uint64]int{}, sessions: map[uint64]deadman.Sessions{},
	}
	w.deadmen = append(w.deadmen, d)
	return d, nil
}

func (w *world) adoptDeadman(fd int, said func(deadman.Message)) (Deadman, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.deadmen[fd-firstDeadman]
	d.said = said
	return d, nil
}

// isDeadman tells the process of one from a worker.
func (p *fakeProcess) isDeadman() bool { return strings.HasPrefix(p.cmd.Argv[0], "brood: deadman of ") }

// process is its own.
func (d *fakeDeadman) process() *fakeProcess {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	at := slices.IndexFunc(d.world.procs, func(p *fakeProcess) bool { return p.isDeadman() && p.cmd.Files[0] == d.fd })
	return d.world.procs[at]
}

// lastDeadman is the latest, and how many there were.
func (w *world) lastDeadman() (*fakeDeadman, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deadmen[len(w.deadmen)-1], len(w.deadmen)
}

// knows are the pids that it watches, in order.
func (d *fakeDeadman) knows() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Values(d.watched))
}

// deadline is when it kills who uses claims of a session.
func (d *fakeDeadman) deadline(session lease.SessionID) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.deadlines[int64(session)]
}

func (d *fakeDeadman) tell(what func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return syscall.EPIPE
	case d.deaf == nil:
		what()
	}
	return d.deaf
}

func (d *fakeDeadman) Theirs() int { return d.fd }
func (d *fakeDeadman) Started()    {}
func (d *fakeDeadman) Ours() int   { return d.fd }
func (d *fakeDeadman) Flush()      {}

func (d *fakeDeadman) Lend() (int, error) { return syscall.Open("/dev/null", syscall.O_CLOEXEC, 0) }

func (d *fakeDeadman) Deadline(session int64, at time.Duration) error {
	return d.tell(func() { d.deadlines[session] = max(d.deadlines[session], at) })
}

func (d *fakeDeadman) Watch(token uint64, pid int, of deadman.Sessions, _, _ int) error {
	return d.tell(func() { d.watched[token], d.sessions[token] = pid, of })
}

func (d *fakeDeadman) Forget(token uint64) error {
	return d.tell(func() { delete(d.watched, token) })
}

func (d *fakeDeadman) Dismiss() {
	d.mu.Lock()
	d.dismissed = true
	d.mu.Unlock()
	d.Close()
}

func (d *fakeDeadman) Close() {
	d.mu.Lock()
	over := d.closed
	d.closed = true
	d.mu.Unlock()
	if p := d.process(); !over {
		time.AfterFunc(1, func() { p.end(worker.Exit{}) }) // not in the middle of what the loop is at
	}
}
