package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialTo is a World whose worker listens there.
func dialTo(network, address string) probe.World {
	return probe.World{Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}
}

// expect compares what an attempt says with the beginning of what it should; empty is success.
func expect(t *testing.T, name, want string, err error) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n")):
		t.Errorf("%s: got %v, not %s", name, err, want)
	}
}

// closedPort is a port on which nobody listens: it stays bound for the time of the test, so that nobody can.
func closedPort(t *testing.T) string {
	t.Helper()
	fd, address := boundSocket(t)
	t.Cleanup(func() { syscall.Close(fd) })
	return address.String()
}

func boundSocket(t *testing.T) (int, *net.TCPAddr) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		syscall.Close(fd)
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		syscall.Close(fd)
		t.Fatal(err)
	}
	return fd, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}
}

func TestConnect(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	open, closed := tcp.Addr().String(), closedPort(t)
	_, port, _ := net.SplitHostPort(open)
	tests := []struct {
		name string
		c    probe.Config
		w    probe.World
		want string
	}{
		{"tcp", probe.Config{Kind: probe.TCP}, dialTo("tcp", open), ""},
		{"tcp closed", probe.Config{Kind: probe.TCP}, dialTo("tcp", closed), "connection refused"},
		{"tcp without a way", probe.Config{Kind: probe.TCP}, probe.World{}, "nothing leads to this worker alone"},
		{"own address", probe.Config{Kind: probe.TCP, Address: open}, dialTo("tcp", closed), ""},
		{"own port", probe.Config{Kind: probe.TCP, Address: ":" + port}, probe.World{}, ""},
		{"own name", probe.Config{Kind: probe.TCP, Address: "localhost:" + port}, probe.World{}, ""},
		{"own address closed", probe.Config{Kind: probe.TCP, Address: closed}, dialTo("tcp", open), "connection refused"},
		{"unix", probe.Config{Kind: probe.Unix, Address: "unix:" + path}, probe.World{}, ""},
		{"unix of the worker", probe.Config{Kind: probe.Unix}, dialTo("unix", path), ""},
		{"unix not there", probe.Config{Kind: probe.Unix, Address: "unix:" + path + "x"}, probe.World{}, "no such file or directory"},
		{"no address", probe.Config{Kind: probe.TCP, Address: "x"}, probe.World{}, "it is HOST:PORT"},
		{"no kind", probe.Config{}, dialTo("tcp", open), "it is one of http"},
		{"notify", probe.Config{Kind: probe.Notify}, dialTo("tcp", open), "a probe of this kind is not run"},
	}
	for _, tt := range tests {
		tt.c.Timeout = 20 * time.Second
		expect(t, tt.name, tt.want, tt.c.Once(t.Context(), tt.w))
	}
	if err := (probe.Config{Kind: probe.TCP}).Once(t.Context(), dialTo("tcp", closed)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v does not wrap its number", err)
	}
}

// A worker whose port nobody listens on is not there, also if the kernel joins both ends of one socket.
func TestConnectToItself(t *testing.T) {
	w := probe.World{Dial: func(context.Context) (net.Conn, error) {
		fd, address := boundSocket(t)
		f := os.NewFile(uintptr(fd), "socket")
		defer f.Close()
		if err := syscall.Connect(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: address.Port}); err != nil {
			return nil, err
		}
		return net.FileConn(f)
	}}
	expect(t, "itself", "the connection led back to itself", probe.Config{Kind: probe.TCP}.Once(t.Context(), w))
}

func TestNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := probe.World{Dial: func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}}
		for _, kind := range []probe.Kind{probe.HTTP, probe.TCP, probe.GRPC} {
			start := time.Now()
			err := probe.Config{Kind: kind, Timeout: 1500 * time.Millisecond}.Once(t.Context(), w)
			expect(t, string(kind), "no connection within 1.5s", err)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 1500*time.Millisecond {
				t.Errorf("%s: %v after %v", kind, err, time.Since(start))
			}
		}
	})
}

func TestExec(t *testing.T) {
	hang := func(ctx context.Context, _ string) error {
		<-ctx.Done()
		return fmt.Errorf("check: %w", ctx.Err())
	}
	deaf := func(ctx context.Context, _ string) error {
		<-ctx.Done()
		return nil
	}
	tests := []struct {
		name, want string
		run        func(context.Context, string) error
	}{
		{"good", "", func(_ context.Context, command string) error {
			if command != "test -f x" {
				return errors.New(command)
			}
			return nil
		}},
		{"bad", "check ended with exit 2", func(context.Context, string) error { return errors.New("check ended with exit 2") }},
		{"talks", "exit 1: a b", func(context.Context, string) error { return errors.New("exit 1:\n a\n\tb") }},
		{"talks on", "exit 1: " + strings.Repeat("x", 112) + "...", func(context.Context, string) error {
			return errors.New("exit 1: " + strings.Repeat("x", 1000))
		}},
		{"hangs", "check did not end within 1s", hang},
		{"too late", "check did not end within 1s", deaf},
		{"nobody", "no commands can be run here", nil},
	}
	synctest.Test(t, func(t *testing.T) {
		c := probe.Config{Kind: probe.Exec, Command: "test -f x"}
		for _, tt := range tests {
			expect(t, tt.name, tt.want, c.Once(t.Context(), probe.World{Run: tt.run}))
		}
		stop := errors.New("worker is gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { cancel(stop) })
		if err := c.Once(ctx, probe.World{Run: hang}); !errors.Is(err, stop) || errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// A wait for the turn is none for the answer, and what ends it is called once the attempt is over.
func TestWaitForTheTurnIsNoPartOfTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := probe.Config{Kind: probe.Exec, Command: "check", Timeout: time.Second}
		ends := 0
		w := probe.World{
			Run: func(context.Context, string) error { return nil },
			Turn: func(ctx context.Context) (func(), bool) {
				select {
				case <-time.After(time.Minute):
					return func() { ends++ }, true
				case <-ctx.Done():
					return nil, false
				}
			},
		}
		expect(t, "late turn", "", c.Once(t.Context(), w))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		expect(t, "no turn", "probe was ended: context deadline exceeded", c.Once(ctx, w))
		if ends != 1 {
			t.Errorf("%d turns ended", ends)
		}
	})
}
