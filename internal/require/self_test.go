package require

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// A socket that connects to the port it is bound to connects to itself.
func TestToItself(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(fd, name); err != nil {
		t.Fatal(err)
	}
	self, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if !toItself(self) {
		t.Errorf("%v to %v is not found out", self.LocalAddr(), self.RemoteAddr())
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	other, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if toItself(other) {
		t.Error("a connection to another socket is taken for one to itself")
	}
}

func TestCause(t *testing.T) {
	wrap := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		err  error
		want string
	}{
		{wrap(&net.DNSError{Err: "no such host", Name: "db.internal", Server: "192.0.2.1"}), "cannot look up db.internal: no such host"},
		{wrap(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused"},
		{wrap(os.ErrDeadlineExceeded), "timed out"},
		{fmt.Errorf("cannot wait: %w", context.DeadlineExceeded), "timed out"},
		{errors.New("exit status 2"), "exit status 2"},
	} {
		if got := cause(tt.err).Error(); got != tt.want {
			t.Errorf("%v became %s", tt.err, got)
		}
	}
}
