package deadman

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// backlog is what was said faster than it is heard: the kernel keeps a few hundred messages, and there may be a thousand workers.
type backlog struct {
	all    []unsent
	broken error // why nobody sends any more
}

// unsent is a message with copies of its descriptors.
type unsent struct {
	m     Message
	files []int
}

// listenTime is how long the process may take to hear something.
const listenTime = 5 * time.Second

// put has a message wait for its turn. The line is locked.
func (l *Line) put(m Message, files []int) error {
	u := unsent{m: m}
	for _, fd := range files {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			closeAll(u.files)
			return err
		}
		u.files = append(u.files, own)
	}
	l.waiting.all = append(l.waiting.all, u)
	if len(l.waiting.all) == 1 {
		fd := l.ours
		l.flusher.Go(func() { l.flush(fd) })
	}
	return nil
}

// flush sends what waits, and ends with it. Close waits for that.
func (l *Line) flush(fd int) {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(listenTime.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && n == 0 {
			err = unix.ETIMEDOUT
		}
		if !l.sendWaiting(fd, err) {
			return
		}
	}
}

// sendWaiting reports whether more waits than can be sent now.
func (l *Line) sendWaiting(fd int, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &l.waiting
	for err == nil && len(b.all) > 0 {
		if err = send(fd, b.all[0].m, b.all[0].files...); err == nil {
			closeAll(b.all[0].files)
			b.all = b.all[1:]
		}
	}
	if errors.Is(err, unix.EAGAIN) {
		return true
	}
	if err != nil {
		b.drop(err)
	}
	return false
}

// Flush waits until everything was sent, or cannot be.
func (l *Line) Flush() { l.flusher.Wait() }

func (b *backlog) drop(err error) {
	for _, u := range b.all {
		closeAll(u.files)
	}
	b.all, b.broken = nil, err
}
