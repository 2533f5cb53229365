package loadgen

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// gone tells whether the other side has already closed an idle connection, as
// the pool of any real client would have noticed. What is left for Reused is the
// race alone: a close that the request crossed on its way.
func gone(conn net.Conn) bool {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return true
	}
	ended := false
	err = control.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		// Bytes that nobody asked for end a connection as well.
		ended = n >= 0 && err == nil || err != nil && err != unix.EAGAIN
	})
	return ended || err != nil
}
