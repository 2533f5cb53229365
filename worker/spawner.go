package worker

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/broodctl/brood/internal/poll"
)

// Options are what a Spawner needs from its surroundings.
type Options struct {
	// Poller waits for the status pipes of the exec shim. It must outlive Main.
	Poller *poll.Poller
	// Shim is the program that contains package worker/shim; empty is the
	// running one, by /proc/self/exe, which stays right when the file on disk
	// has been replaced.
	Shim string
}

// Spawner starts processes and reaps every child of this process.
//
// It must be the only one that waits for children: os/exec and os.Process.Wait
// in the same program would lose exit statuses to it.
type Spawner struct {
	poller *poll.Poller
	shim   string
	null   int

	wake   chan struct{} // capacity 1: the queue has something
	queue  requests
	stills chan still
	ended  chan struct{} // closed when Main has ended

	// openFiles is the limit for workers, once it is up to us to set it: see Replace. For Main alone.
	openFiles *Limit

	turn    sync.Mutex // held while the reaper acts and calls back
	child   chan os.Signal
	recheck chan struct{} // capacity 1: a group that remained may be empty

	table table
}

type request struct {
	cmd  Command
	done func(StartResult)
}

// NewSpawner prepares a spawner; its Main has to be run, once.
func NewSpawner(opts Options) (*Spawner, error) {
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", os.DevNull, err)
	}
	s := &Spawner{
		poller:  opts.Poller,
		shim:    opts.Shim,
		null:    null,
		wake:    make(chan struct{}, 1),
		stills:  make(chan still),
		ended:   make(chan struct{}),
		child:   make(chan os.Signal, 1),
		recheck: make(chan struct{}, 1),
		table:   table{leaders: map[int]*start{}, remaining: map[int]*Process{}},
	}
	if s.shim == "" {
		s.shim = "/proc/self/exe"
	}
	return s, nil
}

// Main forks what Start asked for until stop is closed, and reaps children
// meanwhile. The calling goroutine must have called runtime.LockOSThread, on the
// main thread in a program that hands its workers a parent-death signal.
//
// The caller closes stop when every process it cares for is gone: what still
// runs then is not waited for any more. Queued starts end with ErrStopped. An
// error means that it could not begin: see ResetSignals.
func (s *Spawner) Main(stop <-chan struct{}) error {
	defer s.end()
	if err := ResetSignals(); err != nil {
		return err
	}
	s.table.begin()
	var reaper sync.WaitGroup
	signal.Notify(s.child, syscall.SIGCHLD)
	defer signal.Stop(s.child)
	reaper.Go(func() { s.reapLoop(stop) })
	defer reaper.Wait()
	for {
		select {
		case <-s.wake:
			for _, r := range s.queue.take() {
				s.start(r)
			}
		case q := <-s.stills:
			q.done <- s.hold(q.f)
		case <-stop:
			return nil
		}
	}
}

// end refuses the starts that come too late.
func (s *Spawner) end() {
	for _, r := range s.queue.close() {
		r.done(StartResult{Err: ErrStopped})
	}
	_ = syscall.Close(s.null)
	close(s.ended)
}

// Start asks for a process and never blocks. done is called exactly once; with
// ErrStopped before Start returns when Main has already ended.
func (s *Spawner) Start(cmd Command, done func(StartResult)) {
	if !s.queue.put(request{cmd: cmd, done: done}) {
		done(StartResult{Err: ErrStopped})
		return
	}
	poke(s.wake)
}

// poke leaves a token in a channel of capacity 1 unless there is one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// requests is a queue without a bound: the callers' loop must never block, and
// it asks for at most one start per slot.
type requests struct {
	mu     sync.Mutex
	queue  []request
	closed bool
}

func (q *requests) put(r request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.queue = append(q.queue, r)
	return true
}

func (q *requests) take() []request {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.queue
	q.queue = nil
	return all
}

func (q *requests) close() []request {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	all := q.queue
	q.queue = nil
	return all
}
