package fdstore

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// MaxFiles is how many descriptors one message carries: SCM_MAX_FD of include/net/scm.h.
	MaxFiles = 253
	// sendTimeout bounds a message to a manager that does not read, which is no reason to wait for ever.
	sendTimeout = 5 * time.Second
)

// ErrAddress means that the address of the manager's socket makes no sense here.
var ErrAddress = errors.New("it is neither a path nor an abstract name")

// FileOf says what a descriptor is.
func FileOf(fd int) (File, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return File{}, fmt.Errorf("cannot look at descriptor %d: %w", fd, err)
	}
	return File{FD: fd, Dev: st.Dev, Inode: st.Ino}, nil
}

// Store is the way to the service manager.
type Store struct {
	fd int
	to unix.SockaddrUnix
}

// Open prepares messages to the manager at address, which is the value of NOTIFY_SOCKET.
func Open(address string) (*Store, error) {
	if !strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "@") {
		return nil, fmt.Errorf("cannot use notify socket %q: %w", address, ErrAddress)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make socket: %w", err)
	}
	timeout := unix.NsecToTimeval(sendTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("cannot bound the time of messages: %w", err)
	}
	return &Store{fd: fd, to: unix.SockaddrUnix{Name: address}}, nil
}

// Close ends the way, and nothing that is stored.
func (s *Store) Close() { _ = unix.Close(s.fd) }

// File is a descriptor of this process, and what it must be: a number may be somebody else's by the time that it is used.
type File struct {
	FD         int
	Dev, Inode uint64
}

// Add stores files under one name, beside those that have it, MaxFiles at most. The manager does not watch them: a socket
// that was shut down for a moment stays. A file that is not what it should be is left out.
func (s *Store) Add(name string, files []File) error {
	var fds []int
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	for _, f := range files {
		fd, err := unix.FcntlInt(uintptr(f.FD), unix.F_DUPFD_CLOEXEC, 0)
		if errors.Is(err, unix.EBADF) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot copy descriptor: %w", err)
		}
		fds = append(fds, fd)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Dev != f.Dev || st.Ino != f.Inode {
			fds = fds[:len(fds)-1]
			_ = unix.Close(fd)
		}
	}
	if len(fds) == 0 {
		return nil
	}
	if err := s.send("FDSTORE=1\nFDNAME="+name+"\nFDPOLL=0", fds); err != nil {
		return fmt.Errorf("cannot store descriptors: %w", err)
	}
	return s.sync()
}

// Remove takes all descriptors of a name out of the store, where the manager closes them.
func (s *Store) Remove(name string) error {
	if err := s.send("FDSTOREREMOVE=1\nFDNAME="+name, nil); err != nil {
		return fmt.Errorf("cannot remove stored descriptors: %w", err)
	}
	return s.sync()
}

// sync waits until the manager has done what it was told: it closes a pipe that it is given. A manager before systemd 246
// does so without having done it.
func (s *Store) sync() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make pipe: %w", err)
	}
	defer func() { _ = unix.Close(pipe[0]) }()
	err := s.send("BARRIER=1", []int{pipe[1]})
	_ = unix.Close(pipe[1])
	if err != nil {
		return fmt.Errorf("cannot wait for service manager: %w", err)
	}
	for deadline := time.Now().Add(sendTimeout); ; {
		left := int(time.Until(deadline).Milliseconds())
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pipe[0])}}, max(left, 0))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("cannot wait for service manager: %w", err)
		case n == 0:
			return fmt.Errorf("cannot wait for service manager: %w", unix.ETIMEDOUT)
		default:
			return nil
		}
	}
}

func (s *Store) send(state string, fds []int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		err := unix.Sendmsg(s.fd, []byte(state), rights, &s.to, unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
