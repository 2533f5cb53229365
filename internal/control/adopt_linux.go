package control

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/door"
)

// HandedSocket is a control socket as one program leaves it to the next, which goes on in the same process. Numbers of
// descriptors are those of the process.
type HandedSocket struct {
	Path string `json:"path"`
	FD   int    `json:"fd"`
	Lock int    `json:"lock"` // of its lock file, which is ours as long as somebody has the descriptor
}

// Descriptors are those that the next program must have.
func (h *HandedSocket) Descriptors() []*int { return []*int{&h.FD, &h.Lock} }

// Hand says how the next program finds the socket.
func (s *Socket) Hand() (HandedSocket, error) {
	fd, err := s.door.Descriptor()
	if err != nil {
		return HandedSocket{}, err
	}
	raw, err := s.lock.SyscallConn() // Fd would make it block
	if err != nil {
		return HandedSocket{}, fmt.Errorf("cannot find descriptor of %s: %w", s.lock.Name(), err)
	}
	h := HandedSocket{Path: s.path, FD: fd}
	if err := raw.Control(func(fd uintptr) { h.Lock = int(fd) }); err != nil {
		return HandedSocket{}, fmt.Errorf("cannot find descriptor of %s: %w", s.lock.Name(), err)
	}
	return h, nil
}

// errOtherLock: the file by which supervisors of one name know each other is another one.
var errOtherLock = errors.New("its lock is not the file of that name any more")

// AdoptSocket takes over the socket of the program before. The descriptors that it has left stay open until Keep: who cannot
// go on can give them back.
func AdoptSocket(h HandedSocket) (*Socket, error) {
	lock, err := adoptLock(h.Lock, h.Path+".lock")
	if err != nil {
		return nil, fmt.Errorf("cannot take over control socket %s: %w", h.Path, err)
	}
	d, err := door.Adopt(h.FD)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("cannot take over control socket %s: %w", h.Path, err)
	}
	return &Socket{door: d, path: h.Path, lock: lock, left: h.Lock}, nil
}

func adoptLock(fd int, path string) (*os.File, error) {
	ours, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot take over its lock: %w", err)
	}
	f := os.NewFile(uintptr(ours), path)
	if err := isLocked(f, path); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// isLocked checks that a file is the one of that name, and locked by us: then to lock it again changes nothing.
func isLocked(f *os.File, path string) error {
	mine, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot look at its lock: %w", err)
	}
	named, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot look at its lock: %w", err)
	case !os.SameFile(mine, named):
		return errOtherLock
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("%w: %w", ErrTaken, err)
	}
	return nil
}

// Keep closes the descriptors that the program before has left. Nobody can have them back then.
func (s *Socket) Keep() {
	s.door.Keep()
	if s.left >= 0 {
		_ = unix.Close(s.left)
		s.left = -1
	}
}
