//go:build e2e

package e2e

import (
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// stranger connects as a user that is not root. The kernel tells the other end who connected, and that is a matter of the
// thread: so there is one that has given up its rights, and ends with the test.
type stranger struct{ wanted, made chan net.Conn }

// stranger begins to be one. path is of a socket.
func newStranger(t *testing.T, uid int, path string) *stranger {
	t.Helper()
	s := &stranger{wanted: make(chan net.Conn), made: make(chan net.Conn)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread is of no use to anybody else
		if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
			t.Error(errno)
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			t.Error(errno)
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			t.Error(errno)
		}
		for range s.wanted {
			conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				s.made <- nil
				continue
			}
			s.made <- conn
		}
	}()
	t.Cleanup(func() {
		close(s.wanted)
		<-done
	})
	return s
}

// connect is one connection more, nil if there cannot be one. It may be called by one goroutine at a time.
func (s *stranger) connect() net.Conn {
	s.wanted <- nil
	return <-s.made
}
