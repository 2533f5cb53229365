package listener

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// glance is how long a connection that must not come is waited for: a thousand times what the loopback interface needs,
// and less than the second after which a client repeats its request.
const glance = 200 * time.Millisecond

// knockAt begins to connect, and does not wait.
func knockAt(t testing.TB, l *Listener) int {
	t.Helper()
	to := l.end
	to.ip = l.end.loopback()
	fd, err := newClient(to)
	must(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func newClient(to endpoint) (int, error) {
	family := unix.AF_INET
	if to.ip.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, err
	}
	at, err := sockaddr(to)
	if err == nil {
		err = unix.Connect(fd, at)
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// connected waits for a connection, and tells how often its request was repeated.
func connected(t testing.TB, fd int, within time.Duration) (repeats int, ok bool) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(fds, int(within.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		must(t, err)
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		must(t, err)
		return int(info.Total_retrans), n == 1 && fds[0].Revents&unix.POLLERR == 0
	}
}

// noneGetsIn fails when a client of the paused listener is connected.
func noneGetsIn(t testing.TB, l *Listener, when string) {
	t.Helper()
	if _, ok := connected(t, knockAt(t, l), glance); ok {
		t.Errorf("%s: a client got in", when)
	}
}

func TestPauseKeepsOutAndResumeLetsIn(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", "[::1]:0", ":0", "[::1]:0,mode=shared"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			const slots, clients = 3, 8
			l := open(t, slots, flag).first()
			must(t, l.Pause())
			must(t, l.Pause())
			var waiting []int
			for range clients {
				waiting = append(waiting, knockAt(t, l))
			}
			noneGetsIn(t, l, "paused")
			if n, err := l.Queued(); n != 0 || err != nil {
				t.Errorf("%d are queued, %v", n, err)
			}
			must(t, l.Resume())
			must(t, l.Resume())
			if repeats, ok := connected(t, knockAt(t, l), patience); !ok || repeats != 0 {
				t.Errorf("a new client after Resume: connected %t, %d repeats", ok, repeats)
			}
			for _, fd := range waiting {
				if repeats, ok := connected(t, fd, patience); !ok || repeats < 1 {
					t.Errorf("a client that waited: connected %t, %d repeats", ok, repeats)
				}
			}
		})
	}
}

// TestPauseHoldsWhateverWorkersDo: nothing that happens to the sockets meanwhile lets a client in.
func TestPauseHoldsWhateverWorkersDo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(t *testing.T, h *house, l *Listener)
	}{
		{"steering", func(t *testing.T, _ *house, l *Listener) { must(t, l.Steer([]Member{{1, B}})) }},
		{"growth", func(t *testing.T, _ *house, l *Listener) {
			must(t, l.Grow(5))
			must(t, l.Steer([]Member{{3, A}, {4, B}}))
		}},
		{"listen(2) by a worker", func(t *testing.T, _ *house, l *Listener) { must(t, unix.Listen(l.FD(0, A), 100)) }},
		{"Restore", func(t *testing.T, _ *house, l *Listener) {
			must(t, unix.Listen(l.FD(0, A), 100))
			_, err := l.Restore(0, A)
			must(t, err)
		}},
		{"Adjust", func(t *testing.T, _ *house, l *Listener) {
			cfg := l.Config()
			cfg.Backlog, cfg.Steer, cfg.QueueAware = 9, ClientIP, false
			must(t, l.Adjust(cfg))
		}},
		{"shutdown(2) by a worker", func(t *testing.T, h *house, l *Listener) {
			must(t, unix.Shutdown(l.FD(0, A), unix.SHUT_RDWR))
			h.wait(EventRevived)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, 2, "127.0.0.1:0")
			l := h.first()
			must(t, l.Pause())
			tt.do(t, h, l)
			for range 5 {
				if _, ok := connected(t, knockAt(t, l), glance/4); ok {
					t.Error("a client got in")
				}
			}
			// Our own connections do, and the new places have their index.
			serve(t, l, 1, B)
			if who, err := ask(l.Dial(deadline(t), 1, B)); err != nil || who != "1B" {
				t.Errorf("Dial: got %q, %v", who, err)
			}
			must(t, l.Resume())
			if repeats, ok := connected(t, knockAt(t, l), patience); !ok || repeats != 0 {
				t.Errorf("after Resume: connected %t, %d repeats", ok, repeats)
			}
		})
	}
}

// TestPauseSparesWhatHasBegun: connections that a worker has, that wait in the queue, and that are still at the
// handshake come to their end, with a megabyte each way.
func TestPauseSparesWhatHasBegun(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", "[::1]:0", ":0,mode=shared"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			const clients = 5
			l := open(t, 1, flag).first()
			call := func() (conns []net.Conn) {
				for range clients {
					conn, err := dial(l.testTarget(), "")
					must(t, err)
					conns = append(conns, conn)
				}
				return conns
			}
			accepted := make(chan struct{}, clients)
			first := serveWith(t, l, 0, A, func(conn net.Conn) {
				accepted <- struct{}{}
				digest(conn)
			})
			all := call()
			for range clients {
				<-accepted
			}
			_ = first.Close()
			all = append(all, call()...)
			// The kernel leaves a request where it is until data come; see TCP_DEFER_ACCEPT in tcp(7).
			before, err := l.Queued()
			must(t, err)
			must(t, unix.SetsockoptInt(l.FD(0, A), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60))
			all = append(all, call()...)
			if after, err := l.Queued(); err != nil || after != before || before != clients {
				t.Fatalf("%d wait, %d before: %v; the handshakes should be under way", after, before, err)
			}
			must(t, l.Pause())
			noneGetsIn(t, l, "paused")
			serveWith(t, l, 0, A, digest)
			var talks sync.WaitGroup
			for _, conn := range all {
				talks.Go(func() { converse(t, conn) })
			}
			talks.Wait()
			noneGetsIn(t, l, "still paused")
		})
	}
}

// TestPauseUnderLoad: whoever is connected is served, and at last nobody is.
func TestPauseUnderLoad(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", "127.0.0.1:0,mode=shared"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			const slots, clients = 3, 16
			l := open(t, slots, flag).first()
			for slot := range slots {
				serve(t, l, slot, A)
			}
			var served, lost atomic.Int64
			warm := make(chan struct{}, clients)
			until, giveUp := context.WithCancel(deadline(t))
			defer giveUp()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := 0; ; i++ {
						conn, err := (&net.Dialer{}).DialContext(until, "tcp", l.testTarget())
						if err != nil {
							return
						}
						if _, err := ask(conn, nil); err != nil {
							lost.Add(1)
						}
						served.Add(1)
						if i == 20 {
							warm <- struct{}{}
						}
					}
				})
			}
			for range clients {
				select {
				case <-warm:
				case <-until.Done():
					t.Fatal("the clients are not served")
				}
			}
			must(t, l.Pause())
			defer time.AfterFunc(glance, giveUp).Stop()
			all.Wait() // each ends with the first connection that does not come
			t.Logf("%d served", served.Load())
			if lost.Load() != 0 {
				t.Errorf("%d of %d were connected and not served", lost.Load(), served.Load())
			}
			if n, err := l.Queued(); n != 0 || err != nil {
				t.Errorf("%d are queued, %v", n, err)
			}
			must(t, l.Close())
		})
	}
}

// TestPauseLetsRelaysThrough: what waits in a shard that nobody serves goes to the others, by connections of ours.
func TestPauseLetsRelaysThrough(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			h := open(t, 2, flag)
			l := h.first()
			must(t, l.Steer([]Member{{0, A}}))
			var conns []net.Conn
			for range 5 {
				conn, err := dial(l.testTarget(), "")
				must(t, err)
				conns = append(conns, conn)
			}
			must(t, l.Pause())
			serveWith(t, l, 1, B, digest)
			must(t, l.Steer([]Member{{1, B}}))
			must(t, l.Abandon(0, A))
			for _, conn := range conns {
				converse(t, conn)
			}
		})
	}
}

func TestPauseHidesUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	h := open(t, 1, "unix:"+path)
	l := h.first()
	early, err := net.Dial("unix", path)
	must(t, err)
	must(t, l.Pause())
	if _, err := net.Dial("unix", path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ENOENT", err)
	}
	serve(t, l, 0, A)
	if who, err := ask(early, nil); err != nil || who != "0A" {
		t.Errorf("who waited got %q, %v", who, err)
	}
	cfg := l.Config()
	cfg.Perm = 0o600
	must(t, l.Adjust(cfg))
	_, err = h.Open(wants(1, configs(t, "y=unix:"+path)...))
	if !errors.Is(err, ErrInUse) {
		t.Errorf("the path of a paused listener was given away: %v", err)
	}
	must(t, l.Resume())
	if who, err := ask(net.Dial("unix", path)); err != nil || who != "0A" {
		t.Errorf("after Resume: got %q, %v", who, err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}

	// Somebody takes the path meanwhile.
	must(t, l.Pause())
	other, err := net.Listen("unix", path)
	must(t, err)
	if err := l.Resume(); !errors.Is(err, ErrInUse) {
		t.Errorf("Resume over the socket of another: %v", err)
	}
	must(t, other.Close())
	must(t, l.Resume())
	must(t, l.Pause())
	must(t, l.Close())
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("Close left %v, %v", left, err)
	}
}

// TestPausedLeftovers: a supervisor died while it was paused, and another one takes over its path.
func TestPausedLeftovers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path + hiddenSuffix, Net: "unix"})
	must(t, err)
	stale.SetUnlinkOnClose(false)
	must(t, stale.Close())
	l := open(t, 1, "unix:"+path).first()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 2 {
		t.Errorf("there are %v, %v, want socket and lock", left, err)
	}
	must(t, l.Close())
}

// TestPausedSocketOfSystemd: its copy outlives us, so our filter must not stay on it: neither when we close it, nor
// when we die and a successor gets it.
func TestPausedSocketOfSystemd(t *testing.T) {
	t.Parallel()
	fd := bound(t, "127.0.0.1:0", exclusive)
	take := func() *Listener {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
		return openWith(t, 1, []Inherited{{copied, "web"}}).first()
	}
	first := take()
	must(t, first.Pause())
	noneGetsIn(t, first, "paused")
	second := take() // the first one lives on, and does nothing more
	if repeats, ok := connected(t, knockAt(t, second), patience); !ok || repeats != 0 {
		t.Errorf("the successor: connected %t, %d repeats", ok, repeats)
	}
	must(t, second.Pause())
	must(t, second.Close())
	if repeats, ok := connected(t, knockAt(t, second), patience); !ok || repeats != 0 {
		t.Errorf("after Close: connected %t, %d repeats", ok, repeats)
	}

	// A filter of somebody else is not ours to remove.
	theirs, err := bouncer()
	must(t, err)
	theirs = append(theirs, theirs[len(theirs)-1])
	fprog := unix.SockFprog{Len: uint16(len(theirs)), Filter: &theirs[0]}
	must(t, unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog))
	must(t, tidy(fd))
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0); err != nil {
		t.Errorf("the filter of another is gone: %v", err)
	}
}

func TestPauseOfWhatCannotBePaused(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"udp:127.0.0.1:0", fmt.Sprintf("unix:@brood-test-pause-%d", os.Getpid())} {
		l := open(t, 1, flag).first()
		must(t, l.Pause())
		conn, err := net.Dial(l.Address().Network, l.Address().HostPort())
		if err != nil {
			t.Errorf("%s: %v", flag, err)
			continue
		}
		_ = conn.Close()
		must(t, l.Resume())
		must(t, l.Close())
		if err := errors.Join(l.Pause(), l.Resume()); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: a closed one: %v", flag, err)
		}
	}
	mptcp, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_MPTCP)
	if err != nil {
		t.Logf("without MPTCP: %v", err)
		return
	}
	must(t, unix.Bind(mptcp, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, unix.Listen(mptcp, 5))
	l := openWith(t, 1, []Inherited{{mptcp, "web"}}).first()
	must(t, l.Pause())
	if _, ok := connected(t, knockAt(t, l), patience); !ok {
		t.Error("a paused MPTCP listener refuses")
	}
	must(t, l.Resume())
}

// TestDialMarksItself: whatever we dial ourselves passes the filter, and nothing else with the same source does.
func TestDialMarksItself(t *testing.T) {
	t.Parallel()
	l := open(t, 1, "127.0.0.1:0").first()
	must(t, l.Pause())
	conn, err := l.Dial(deadline(t), 0, B)
	must(t, err)
	_ = conn.Close()
	ctx, cancel := context.WithTimeout(deadline(t), glance)
	defer cancel()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 78, 0, 0)}}
	if conn, err := d.DialContext(ctx, "tcp", l.testTarget()); err == nil {
		_ = conn.Close()
		t.Error("the source alone opens the door")
	}
}
