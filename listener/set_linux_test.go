package listener

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/loadgen"
)

// TestOthersComeAndGoUnderLoad: listeners that are opened, used, paused and closed do not concern the first.
func TestOthersComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, 2, "127.0.0.1:0")
	under(t, h.first(), func(load *loadgen.Load) {
		for i := range 50 {
			opened, err := h.Open(wants(3, configs(t, "b=127.0.0.1:0", "c=unix:"+dir+"/c", "d=udp:127.0.0.1:0", "e=[::1]:0,mode=shared")...))
			must(t, err)
			serve(t, opened[0], 0, A).stop()
			conn, err := dial(opened[0].testTarget(), "") // what waits is reset
			must(t, err)
			_ = conn.Close()
			for _, l := range opened {
				must(t, l.Pause())
				must(t, l.Close())
			}
			if i%10 == 0 {
				must(t, load.Await(deadline(t), 10))
			}
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDescriptorsAreBack: what 50 listeners of each kind took is given back.
func TestDescriptorsAreBack(t *testing.T) { // not parallel: it looks at all descriptors of the process
	path := t.TempDir() + "/u"
	h := open(t, 2, "127.0.0.1:0")
	before := sockets(t)
	for range 50 {
		opened, err := h.Open(wants(3, configs(t, "b=127.0.0.1:0", "c=unix:"+path, "d=udp:127.0.0.1:0", "e=[::1]:0,mode=shared")...))
		must(t, err)
		must(t, opened[0].Grow(5))
		must(t, opened[0].Steer([]Member{{0, B}}))
		must(t, opened[0].Abandon(0, A))
		for _, l := range opened {
			must(t, l.Close())
		}
	}
	noneLeaked(t, before, "50 times")
	if _, err := h.Open(wants(0, configs(t, "b=127.0.0.1:0")...)); !errors.Is(err, errNoSlots) {
		t.Errorf("opened for no slots: %v", err)
	}
}

// TestOpenAllOrNothingBesideOthers: the last of three is in use, by one of ours or by another; the first listener goes
// on, and what was opened for nothing can be opened again.
func TestOpenAllOrNothingBesideOthers(t *testing.T) { // not parallel: it looks at all descriptors of the process
	dir := t.TempDir()
	taken := portOfTest(t, bound(t, "127.0.0.1:0", exclusive))
	h := open(t, 2, "web=127.0.0.1:0", "u=unix:"+dir+"/u")
	l, free := h.first(), freePorts(t, 3)
	h.opens(2, fmt.Sprintf("each=127.0.0.1:%d,mode=per-slot", free))
	tests := []struct {
		flag, says string
		want       error
	}{
		{fmt.Sprintf("z=127.0.0.1:%d", taken), "this process has it open already", ErrInUse},
		{fmt.Sprintf("z=127.0.0.1:%d", l.Address().Port), "listener web has it", ErrInUse},
		{fmt.Sprintf("z=:%d,mode=shared", l.Address().Port), "listener web has it", ErrInUse},
		{fmt.Sprintf("z=127.0.0.1:%d,mode=per-slot", l.Address().Port), "listener web has it", ErrInUse},
		{fmt.Sprintf("z=127.0.0.1:%d", free+1), "listener each has it", ErrInUse},
		{fmt.Sprintf("z=127.0.0.1:%d,mode=per-slot", free-1), "listener each has it", ErrInUse},
		{"z=unix:" + dir + "/u", "listener u has it", ErrInUse},
		{"x=127.0.0.1:0", "another listener has the same name", errDuplicate},
		{"z=systemd:z", "no socket of this name", errNotGiven},
	}
	try := func() {
		for _, tt := range tests {
			_, err := h.Open(wants(2, configs(t, "x=127.0.0.1:0", "y=unix:"+dir+"/y", tt.flag)...))
			var open *OpenError
			if !errors.As(err, &open) || !errors.Is(err, tt.want) && !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v, want one that says %q", tt.flag, err, tt.says)
			}
		}
	}
	before := sockets(t)
	try()
	noneLeaked(t, before, "Open")
	under(t, l, func(*loadgen.Load) { try() })
	names, err := filepath.Glob(dir + "/*")
	if diff := cmp.Diff([]string{dir + "/u", dir + "/u.lock"}, names); diff != "" || err != nil {
		t.Errorf("files: %v (-want +got)\n%s", err, diff)
	}
	// The name of an open one may come again; its address is free as soon as it is closed, also while a worker that does
	// not end has a copy of the socket.
	worker := copyOf(t, l.FD(0, A))
	defer worker.Close()
	h.opens(1, "web=127.0.0.1:0")
	must(t, l.Close())
	again := h.opens(1, fmt.Sprintf("web=%s", l.Address()))
	serve(t, again, 0, A)
	if who, err := ask(dial(again.testTarget(), "")); err != nil || who != "0A" {
		t.Errorf("got %q, %v", who, err)
	}
}

// freePorts finds ports in a row that happen to be free, with one before them, where the kernel takes none for clients;
// see ip_local_port_range in ip(7).
func freePorts(t testing.TB, n int) int {
	t.Helper()
	first := 22000 + os.Getpid()*16%10000
	for port := first; port < first+200; port += n {
		e, err := endpointOf(Address{Network: networkTCP, Host: "127.0.0.1", Port: port})
		must(t, err)
		if checkFree(e, -1, n) == nil {
			return port
		}
	}
	t.Fatal("no free ports in a row")
	return 0
}

func TestPerSlotKeepsItsPorts(t *testing.T) { // not parallel: TestPerSlot looks for free ports too
	port := freePorts(t, 6)
	h := open(t, 2, fmt.Sprintf("a=127.0.0.1:%d,mode=per-slot", port))
	b := h.opens(2, fmt.Sprintf("b=127.0.0.1:%d,mode=per-slot", port+3))
	must(t, h.first().Grow(3))
	if err := h.first().Grow(4); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "listener b has it") {
		t.Errorf("Grow into the ports of another: %v", err)
	}
	must(t, b.Pause())
	must(t, b.Resume())
	if _, err := b.Queued(); !errors.Is(err, ErrNoQueue) {
		t.Errorf("Queued: %v", err)
	}
	must(t, b.Close())
	must(t, h.first().Grow(4))
	if got := h.first().Slots(); got != 4 {
		t.Errorf("it has %d slots, want 4", got)
	}
}

func TestSpare(t *testing.T) {
	t.Parallel()
	web, group := bound(t, "127.0.0.1:0", exclusive), bound(t, "127.0.0.1:0", grouped)
	more := bound(t, fmt.Sprintf("127.0.0.1:%d", portOfTest(t, group)), grouped)
	var inherited []Inherited
	for i, fd := range []int{web, group, more} {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
		inherited = append(inherited, Inherited{copied, []string{"web", "api", "api"}[i]})
	}
	set, err := NewSet(inherited, options(t, make(chan Event, 16)))
	must(t, err)
	t.Cleanup(func() { _ = set.Close() })
	names := func(cfgs ...Config) string {
		var all []string
		for _, cfg := range set.Spare(cfgs) {
			all = append(all, cfg.Name+"="+cfg.Address.String())
		}
		return strings.Join(all, " ")
	}
	byAddress := configs(t, fmt.Sprintf("x=127.0.0.1:%d", portOfTest(t, web)))[0]
	if got, want := names(), "web=systemd:web api=systemd:api"; got != want {
		t.Errorf("spare are %q, want %q", got, want)
	}
	if got, want := names(byAddress), "api=systemd:api"; got != want {
		t.Errorf("spare are %q, want %q", got, want)
	}
	opened, err := set.Open(wants(2, byAddress))
	must(t, err)
	if got, want := names(), "api=systemd:api"; got != want {
		t.Errorf("spare are %q, want %q", got, want)
	}
	if _, err := set.Open(wants(2, configs(t, "systemd:web")...)); !errors.Is(err, errNotGiven) {
		t.Errorf("a socket that another has: %v", err)
	}
	must(t, opened[0].Close())
	if got, want := names(), "api=systemd:api web=systemd:web"; got != want {
		t.Errorf("spare are %q, want %q", got, want)
	}
	must(t, set.Close())
	if got := names(); got != "" {
		t.Errorf("a closed Set has spare %q", got)
	}
	for _, in := range inherited {
		if _, err := unix.FcntlInt(uintptr(in.FD), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
			t.Errorf("descriptor %d is still open: %v", in.FD, err)
		}
	}
	if _, err := set.Open(wants(1, byAddress)); !errors.Is(err, ErrClosed) {
		t.Errorf("Open after Close: %v", err)
	}
}

// TestCloseGivesBackWhatWasInherited: what waits in them, and their state, outlive the listener, and so it goes on.
func TestCloseGivesBackWhatWasInherited(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			fds := []int{bound(t, "127.0.0.1:0", grouped)}
			for len(fds) < n {
				fds = append(fds, bound(t, fmt.Sprintf("127.0.0.1:%d", portOfTest(t, fds[0])), grouped))
			}
			var inherited []Inherited
			for _, fd := range fds {
				copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
				must(t, err)
				inherited = append(inherited, Inherited{copied, "web"})
			}
			h := openWith(t, 4, inherited, "systemd:web,backlog=77")
			l := h.first()
			for round := range 5 {
				for slot := range 4 {
					serve(t, l, slot, A).stop()
				}
				if q, err := l.Queue(0, A); err != nil || q.Backlog != 77 {
					t.Errorf("queue is %+v, %v, want a backlog of 77", q, err)
				}
				// A worker spoils what it can.
				must(t, unix.SetNonblock(l.FD(0, A), false))
				must(t, unix.Listen(l.FD(0, A), 3))
				if round%2 == 1 {
					must(t, unix.Shutdown(l.FD(0, A), unix.SHUT_RDWR))
				}
				must(t, l.Pause())
				must(t, l.Close())
				conn, err := dial(l.testTarget(), "")
				must(t, err)
				for _, in := range inherited {
					q, err := queueOf(in.FD)
					if err != nil || q.Backlog != 16 {
						t.Errorf("round %d: queue is %+v, %v, want the backlog of 16", round, q, err)
					}
					if cleared, err := setNonblock(in.FD); err != nil || cleared {
						t.Errorf("round %d: it blocks (%v)", round, err)
					}
				}
				l = h.opens(4, "systemd:web,backlog=77")
				if l.Mode() != Sharded {
					t.Fatalf("round %d: it is %s", round, l.Mode())
				}
				// Who came between is in the queue of a socket that slots have now.
				var all []*worker
				for slot := range 4 {
					all = append(all, serve(t, l, slot, A), serve(t, l, slot, B))
				}
				if _, err := ask(conn, nil); err != nil {
					t.Errorf("round %d: who came between was lost: %v", round, err)
				}
				exact(t, l, 4)
				for _, w := range all {
					w.stop()
				}
			}
		})
	}
}

// TestCloseBesideRelays: one listener is closed while others relay; theirs go on.
func TestCloseBesideRelays(t *testing.T) {
	t.Parallel()
	h := open(t, 2, "a=127.0.0.1:0", "b=127.0.0.1:0")
	var conns []net.Conn
	for _, l := range h.listeners {
		must(t, l.Steer([]Member{{1, A}}))
		serveWith(t, l, 1, A, digest)
		for range 10 {
			conn, err := l.Dial(deadline(t), 0, A)
			must(t, err)
			defer conn.Close()
			conns = append(conns, conn)
		}
		must(t, l.Abandon(0, A))
	}
	for relayed := 0; relayed < len(conns); {
		relayed += h.wait(EventRelayed).Count
	}
	must(t, h.first().Close())
	for _, conn := range conns[:10] {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a relay of the closed listener lives on")
		}
	}
	var all sync.WaitGroup
	for _, conn := range conns[10:] {
		all.Go(func() { converse(t, conn) })
	}
	all.Wait()
	h.rescue.mu.Lock()
	defer h.rescue.mu.Unlock()
	if h.rescue.active > 10 {
		t.Errorf("%d relays count as active", h.rescue.active)
	}
}

// TestTwoPoolsShareOneListener: what one of them says of its slots does not concern the other.
func TestTwoPoolsShareOneListener(t *testing.T) {
	t.Parallel()
	h := open(t, 2, "127.0.0.1:0,mode=shared")
	l := h.first()
	under(t, l, func(load *loadgen.Load) {
		for range 20 { // the pool that does not serve
			must(t, l.Steer([]Member{{7, B}}))
			must(t, l.Abandon(0, A))
			must(t, l.Abandon(7, B))
			_, err := l.Restore(7, B)
			must(t, err)
			must(t, l.Adopt(7, B))
			must(t, l.Grow(l.Slots()+1))
			must(t, load.Await(deadline(t), 1))
		}
	})
	select {
	case ev := <-h.events:
		t.Errorf("got event %s", ev)
	default:
	}
}
