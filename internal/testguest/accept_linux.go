package testguest

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// listener accepts by hand, so that it can note the moment before accept4(2) as
// well as the one after: a kill between the two is then visible in the counters.
// A net.Listener cannot tell a call that takes a connection from one that waits.
type listener struct {
	file     *os.File
	raw      syscall.RawConn
	addr     net.Addr
	counters *counters
	before   func() // before each attempt to accept, if not nil
	harmed   atomic.Bool
}

// newListener takes over a descriptor.
func newListener(fd int, c *counters) (net.Listener, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "listener")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &listener{file: file, raw: raw, addr: address(name), counters: c}, nil
}

func address(name unix.Sockaddr) net.Addr {
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Net: "unix", Name: a.Name}
	}
	return &net.UnixAddr{Net: "unknown"}
}

func (l *listener) Accept() (net.Conn, error) {
	fd, failure := -1, error(nil)
	err := l.raw.Read(func(listening uintptr) bool {
		if l.before != nil {
			l.before()
		}
		if l.harmed.Load() && !pending(listening) {
			return false
		}
		l.counters.add(accepting, 1)
		defer l.counters.add(accepting, -1)
		fd, _, failure = unix.Accept4(int(listening), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if failure == nil {
			l.counters.add(accepted, 1)
		}
		// Another process of a shared socket may have been faster: wait again.
		return !errors.Is(failure, unix.EAGAIN) && !errors.Is(failure, unix.ECONNABORTED)
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: l.addr.Network(), Addr: l.addr, Err: err}
	}
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close() // FileConn works on a duplicate
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn, counters: l.counters}, nil
}

func (l *listener) Close() error   { return l.file.Close() }
func (l *listener) Addr() net.Addr { return l.addr }

// countedConn notes when an answer is being written, and when it has been.
// net/http writes a small answer at once.
type countedConn struct {
	net.Conn
	counters *counters
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.counters.add(started, 1)
	n, err := c.Conn.Write(p)
	c.counters.add(finished, 1)
	return n, err
}
