package listener

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// glimpse is what a queue may hold a connection without being called busy: 2 ms is above what an idle worker needs to
	// accept, and below what a client notices. It bounds the wake-ups to 500 a second, however many connections come.
	glimpse = 2 * time.Millisecond
	// perInstruction makes long programs change less often, so that changes never take more than a few per cent of a CPU:
	// to make and attach one costs about 0.2 us per instruction.
	perInstruction = 10 * time.Microsecond
	// longestGlance bounds how long a queue that does not move goes unseen. Only a queue whose owner accepts nothing and
	// that no connection is sent to becomes that old.
	longestGlance = time.Second

	forEver = -1
)

// lookout watches the queues of the members of a queue-aware listener. Its goroutine waits in the kernel until a
// connection comes to one of them, and looks a moment later whether it has been accepted. So it sleeps while nothing
// happens, is woken twice for a lone connection, and once per glimpse under load.
//
// The descriptors are watched edge-triggered, see epoll(7): what comes to a queue that is being looked at costs no
// wake-up, and a queue that does not move tells nothing more.
type lookout struct {
	epoll int
	stop  int // eventfd that ends the goroutine
	gone  sync.WaitGroup

	// Guarded by the lock of the listener.
	watched map[int32]*shard // the members, by descriptor
	busy    []*shard         // those of them that are left out, or would be if they were not all
	calm    time.Duration    // how long nothing has changed, about
	changes uint64           // of the steering
}

func newLookout(look func(noticed []int32) outlook) (*lookout, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot create epoll descriptor: %w", err)
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("cannot create event descriptor: %w", err)
	}
	o := &lookout{epoll: epoll, stop: stop, watched: map[int32]*shard{}}
	if err := o.add(stop, unix.EPOLLIN); err != nil {
		_ = unix.Close(epoll)
		_ = unix.Close(stop)
		return nil, fmt.Errorf("cannot watch event descriptor: %w", err)
	}
	o.gone.Go(func() { o.run(look) })
	return o, nil
}

func (o *lookout) add(fd int, events uint32) error {
	return unix.EpollCtl(o.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// close ends the goroutine and waits for it. The caller must not hold the lock of the listener.
func (o *lookout) close() {
	one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any non-zero count, whatever the byte order
	_, _ = unix.Write(o.stop, one[:])      // fails only when the count is at its limit, and then it has been told
	o.gone.Wait()
	_ = unix.Close(o.epoll)
	_ = unix.Close(o.stop)
}

// outlook says how the watch goes on.
type outlook struct {
	glimpse time.Duration // between the news of a connection and the next look
	glance  time.Duration // when to look again without news; forEver if every queue is empty
}

func (o *lookout) run(look func(noticed []int32) outlook) {
	next := outlook{glimpse: glimpse, glance: forEver}
	events := make([]unix.EpollEvent, 128)
	var noticed []int32
	for {
		if next.glance == next.glimpse {
			// Queues move: there will be something to see, whatever comes.
			noticed = noticed[:0]
		} else {
			noticed = o.collect(noticed[:0], events, next.glance)
		}
		if o.stopped(next.glimpse) {
			return
		}
		// What came meanwhile belongs to the same look.
		noticed = o.collect(noticed, events, 0)
		next = look(noticed)
		// A goroutine that never yields loses its place after 10 ms in system calls, which wakes the runtime's monitor
		// thread a thousand times a second.
		runtime.Gosched()
	}
}

// collect waits until one of the watched has a connection that waits, and adds those that have.
func (o *lookout) collect(noticed []int32, events []unix.EpollEvent, within time.Duration) []int32 {
	n, err := unix.EpollWait(o.epoll, events, milliseconds(within))
	if err != nil {
		return noticed // EINTR, mostly by the runtime's own signals: a look too early does no harm
	}
	for _, ev := range events[:n] {
		noticed = append(noticed, ev.Fd)
	}
	return noticed
}

// stopped lets time pass, and tells whether the end has come.
func (o *lookout) stopped(within time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(o.stop), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, milliseconds(within))
	return err == nil && n > 0
}

// milliseconds rounds up, as epoll_wait(2) and poll(2) count.
func milliseconds(d time.Duration) int {
	if d < 0 {
		return forEver
	}
	return int((d + time.Millisecond - 1) / time.Millisecond)
}

// follow watches these shards and no others. One that cannot be watched is never called busy, which is no harm.
func (o *lookout) follow(members []*shard) {
	fresh := make(map[int32]*shard, len(members))
	for _, s := range members {
		fresh[int32(s.fd)] = s
	}
	for fd, s := range o.watched {
		if fresh[fd] != s {
			s.busy = false
			_ = unix.EpollCtl(o.epoll, unix.EPOLL_CTL_DEL, s.fd, nil)
		}
	}
	for fd, s := range fresh {
		if o.watched[fd] == s {
			continue
		}
		if err := o.add(s.fd, unix.EPOLLIN|unix.EPOLLET); err != nil && !errors.Is(err, unix.EEXIST) {
			delete(fresh, fd)
		}
	}
	o.watched = fresh
	o.tidy()
}
