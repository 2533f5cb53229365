package poll

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	// ErrClosed is returned by Add and Remove after Close.
	ErrClosed = errors.New("poller is closed")
	// ErrUnknown is returned by Remove for a descriptor that was not added.
	ErrUnknown = errors.New("descriptor is not watched")
)

// batch is how many events one epoll_wait takes: enough that a thousand deaths
// at once cost a dozen system calls, small enough to live in one page.
const batch = 128

const (
	onData   = unix.EPOLLIN | unix.EPOLLRDHUP
	onChange = unix.EPOLLPRI
	onHangup = 0 // the kernel reports EPOLLHUP and EPOLLERR unasked
)

// Poller calls back when a descriptor is readable or has hung up.
type Poller struct {
	epoll int
	wake  int // eventfd: the only way to end a wait that has no timeout
	ended chan struct{}
	turn  sync.Mutex // held while callbacks run, and by Pause

	mu     sync.Mutex
	closed bool
	serial int32
	watch  map[int32]watch
}

// watch carries a serial so that an event already fetched for a descriptor that
// was removed, closed and reused within the same batch is recognised as stale.
type watch struct {
	serial int32
	ready  func()
}

// New starts a poller. The caller must Close it.
func New() (*Poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot create epoll descriptor: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("cannot create event descriptor: %w", err)
	}
	p := &Poller{epoll: epoll, wake: wake, ended: make(chan struct{}), watch: map[int32]watch{}}
	// Serial 0 belongs to the wake descriptor alone; watches count from 1.
	if err := p.watchFD(wake, onData, 0); err != nil {
		_ = unix.Close(epoll)
		_ = unix.Close(wake)
		return nil, fmt.Errorf("cannot watch event descriptor: %w", err)
	}
	go p.run()
	return p, nil
}

// Add calls ready on the poller's goroutine whenever fd is readable or its peer
// has hung up (EPOLLIN|EPOLLRDHUP, see epoll_ctl(2)), until Remove. The caller
// keeps owning fd and must Remove it before closing it. Adding a descriptor
// twice fails with EEXIST.
func (p *Poller) Add(fd int, ready func()) error { return p.add(fd, onData, ready) }

// AddHangup is Add for a descriptor whose data can wait: gone is called only
// once its peer has hung up (EPOLLHUP, which for a pipe means that the last
// writer closed it).
func (p *Poller) AddHangup(fd int, gone func()) error { return p.add(fd, onHangup, gone) }

// AddPriority is Add for a file of the kernel that says of itself when it has changed, as cgroup.events does: changed is
// called (EPOLLPRI) until the file is read again from its beginning. It has to be read once before.
func (p *Poller) AddPriority(fd int, changed func()) error { return p.add(fd, onChange, changed) }

func (p *Poller) add(fd int, events uint32, ready func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("cannot watch descriptor %d: %w", fd, ErrClosed)
	}
	p.serial = max(p.serial+1, 1)
	serial := p.serial
	if err := p.watchFD(fd, events, serial); err != nil {
		return fmt.Errorf("cannot watch descriptor %d: %w", fd, err)
	}
	p.watch[int32(fd)] = watch{serial: serial, ready: ready}
	return nil
}

// Remove stops watching fd. After it returns no further callback for fd starts;
// one that has started may still be running, unless Remove was called from it.
// Whoever closes fd from another goroutine than the poller's therefore shares a
// lock with the callback.
func (p *Poller) Remove(fd int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("cannot stop watching descriptor %d: %w", fd, ErrClosed)
	}
	if _, ok := p.watch[int32(fd)]; !ok {
		return fmt.Errorf("cannot stop watching descriptor %d: %w", fd, ErrUnknown)
	}
	delete(p.watch, int32(fd))
	if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil); err != nil {
		return fmt.Errorf("cannot stop watching descriptor %d: %w", fd, err)
	}
	return nil
}

// Close ends the poller and waits for a running callback. Descriptors that are
// still watched stay open. A second Close returns ErrClosed.
func (p *Poller) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return fmt.Errorf("cannot close poller: %w", ErrClosed)
	}
	p.closed = true
	clear(p.watch)
	p.mu.Unlock()

	one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any non-zero count, whatever the byte order
	if _, err := unix.Write(p.wake, one[:]); err != nil {
		return fmt.Errorf("cannot wake poller: %w", err)
	}
	<-p.ended
	return errors.Join(unix.Close(p.epoll), unix.Close(p.wake))
}

func (p *Poller) run() {
	defer close(p.ended)
	events := make([]unix.EpollEvent, batch)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue // the Go runtime preempts with signals: this is common
		}
		if err != nil {
			// Only a closed or foreign descriptor can fail here: a bug, and one
			// that would leave a supervisor deaf without a word.
			panic(fmt.Sprintf("cannot wait on epoll descriptor: %v", err))
		}
		if !p.tell(events[:n]) {
			return
		}
	}
}

// tell calls back; false at the end.
func (p *Poller) tell(events []unix.EpollEvent) bool {
	p.turn.Lock()
	defer p.turn.Unlock()
	for _, ev := range events {
		if ev.Pad == 0 {
			return false
		}
		if ready := p.lookup(ev.Fd, ev.Pad); ready != nil {
			ready()
		}
	}
	return true
}

// Pause waits for a running callback, and keeps others from running until resume is called, once: what becomes ready
// meanwhile is told then. Add and Remove work on. It must not be called from a callback, nor Close before resume.
func (p *Poller) Pause() (resume func()) {
	p.turn.Lock()
	return p.turn.Unlock
}

func (p *Poller) lookup(fd, serial int32) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w, ok := p.watch[fd]; ok && w.serial == serial {
		return w.ready
	}
	return nil
}

func (p *Poller) watchFD(fd int, events uint32, serial int32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: serial}
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &ev)
}
