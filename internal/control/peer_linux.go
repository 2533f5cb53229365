package control

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// Peer is the supervisor behind a socket as the kernel tells it, whatever that says of itself: in another pid namespace
// it knows itself by another number.
type Peer struct {
	// PID is its number in our pid namespace, 0 if it has none there.
	PID int
	// PIDFD means it and no later process of that number: readable when it has ended; see pidfd_open(2). The caller closes it.
	PIDFD int
}

// Peer finds the process that listens on the socket. The error wraps ErrNoAnswer when there is none.
func (c *Client) Peer(ctx context.Context) (Peer, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return Peer{}, c.failure(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	peer := Peer{PIDFD: -1}
	err = withDescriptor(conn, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return err
		}
		peer.PID = int(cred.Pid)
		peer.PIDFD, err = peerPidfd(fd, peer.PID)
		return err
	})
	if err != nil {
		return Peer{}, fmt.Errorf("cannot find the process that listens on %s: %w", c.path, err)
	}
	return peer, nil
}

// peerPidfd takes SO_PEERPIDFD, which came with Linux 6.5, or pidfd_open(2). After the latter the connection must still be
// up: then the process lived when its number was looked up.
func peerPidfd(fd, pid int) (int, error) {
	if pidfd, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD); err == nil {
		return pidfd, nil
	} else if !errors.Is(err, unix.ENOPROTOOPT) {
		return -1, err
	}
	if pid == 0 {
		return -1, errors.New("it is in another pid namespace")
	}
	return openPidfd(fd, pid)
}

func openPidfd(fd, pid int) (int, error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	look := []unix.PollFd{{Fd: int32(fd)}}
	_, err = unix.Poll(look, 0)
	for errors.Is(err, unix.EINTR) { // the runtime sends its threads signals, and a look that does not wait can be cut as well
		_, err = unix.Poll(look, 0)
	}
	if err != nil || look[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
		_ = unix.Close(pidfd)
		return -1, errors.Join(ErrNoAnswer, err)
	}
	return pidfd, nil
}

func withDescriptor(conn net.Conn, f func(fd int) error) error {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("not a unix socket")
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
