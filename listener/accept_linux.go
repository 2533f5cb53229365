package listener

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errHungUp means that the socket does not listen any more.
var errHungUp = errors.New("the socket was shut down")

// acceptUpTo accepts what waits, n at most, without blocking. With an error it may return connections as well.
func acceptUpTo(fd, n int) ([]int, error) {
	var conns []int
	for len(conns) < n {
		conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch {
		case err == nil:
			conns = append(conns, conn)
		case errors.Is(err, unix.EAGAIN):
			return conns, nil
		case errors.Is(err, unix.EINVAL):
			return conns, errHungUp
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.ENOBUFS),
			errors.Is(err, unix.EBADF), errors.Is(err, unix.EPERM):
			return conns, fmt.Errorf("cannot accept: %w", err)
		default:
			// An error of the connection, which is gone with it; see accept(2).
		}
	}
	return conns, nil
}
