package self_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/worker/handshake"
	"github.com/broodctl/brood/worker/self"
)

// rawListener is a listening socket as a raw descriptor of this process.
func rawListener(t *testing.T) (fd int, address string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err = syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return fd, l.Addr().String()
}

func setFDs(t *testing.T, fds map[string]int) {
	t.Helper()
	paths := map[string]string{}
	for name, fd := range fds {
		paths[name] = "/dev/fd/" + strconv.Itoa(fd)
	}
	object, err := json.Marshal(paths)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(handshake.EnvFDs, string(object))
	t.Setenv(handshake.EnvListenPID, strconv.Itoa(os.Getpid()))
}

func TestListenerAgainAndAgain(t *testing.T) {
	fd, address := rawListener(t)
	setFDs(t, map[string]int{"http": fd})
	for range 2 { // closing the first must leave the socket to the second
		l, err := self.Listener("http")
		if err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = client.Close(), server.Close(), l.Close()
	}
	all, err := self.Listeners()
	if err != nil || len(all) != 1 || all["http"].Addr().String() != address {
		t.Fatalf("got %v, %v", all, err)
	}
	_ = all["http"].Close()
	if _, err := self.Listener("https"); !errors.Is(err, self.ErrNotPassed) {
		t.Errorf("got %v", err)
	}
}

func TestPacketConn(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	setFDs(t, map[string]int{"dns": fd})
	c, err := self.PacketConn("dns")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.WriteTo([]byte("x"), c.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := c.ReadFrom(make([]byte, 8)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if all, err := self.Listeners(); err != nil || len(all) != 0 {
		t.Errorf("datagram sockets are no listeners: %v, %v", all, err)
	}
}

func TestMeantForAnother(t *testing.T) {
	fd, _ := rawListener(t)
	setFDs(t, map[string]int{"http": fd})
	t.Setenv(handshake.EnvListenPID, "1")
	if _, err := self.Listener("http"); !errors.Is(err, self.ErrNotPassed) {
		t.Errorf("got %v", err)
	}
}

func TestSystemdVariables(t *testing.T) {
	t.Setenv(handshake.EnvListenPID, strconv.Itoa(os.Getpid()))
	for _, tt := range []struct{ count, names string }{{"x", ""}, {"-1", ""}, {"2", "a:a"}, {"2", ""}} {
		t.Setenv(handshake.EnvListenFDs, tt.count)
		t.Setenv(handshake.EnvListenNames, tt.names)
		if _, err := self.Listeners(); err == nil {
			t.Errorf("accepted %+v", tt)
		}
	}
}

func TestPlace(t *testing.T) {
	if self.Supervised() || self.ID() != 0 || self.Slot() != 0 || self.Workers() != 1 || self.Pool() != "" {
		t.Error("wrong without a supervisor")
	}
	for name, value := range map[string]string{
		handshake.EnvWorkerID: "1007", handshake.EnvSlot: "3", handshake.EnvWorkers: "8", handshake.EnvPool: "web",
		handshake.EnvWatchdogUsec: "1500000",
	} {
		t.Setenv(name, value)
	}
	if !self.Supervised() || self.ID() != 1007 || self.Slot() != 3 || self.Workers() != 8 || self.Pool() != "web" {
		t.Error("wrong below a supervisor")
	}
	if got := self.WatchdogInterval(); got != 1500*time.Millisecond {
		t.Errorf("watchdog interval %v", got)
	}
	t.Setenv(handshake.EnvWatchdogPID, "1")
	if got := self.WatchdogInterval(); got != 0 {
		t.Errorf("watchdog of another: %v", got)
	}
}

func TestTell(t *testing.T) {
	path := t.TempDir() + "/notify"
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv(handshake.EnvNotifySocket, path)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reloads, err := self.Reloads(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(self.Ready(), self.Status("busy"), self.Alive(), self.Failed(), self.Requests(0), self.Stopping()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 7 {
		buf := make([]byte, handshake.MaxMessage)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(buf[:n]))
	}
	if want := []string{"BROOD_RELOAD=1", "READY=1", "STATUS=busy", "WATCHDOG=1", "WATCHDOG=trigger", "BROOD_REQUESTS=0", "STOPPING=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-reloads
}

func TestDraining(t *testing.T) {
	ctx, stop := self.Draining(context.Background())
	defer stop()
	if ctx.Err() != nil {
		t.Fatal("done before a signal")
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}
