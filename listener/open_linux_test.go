package listener

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// bound opens a socket of ours outside of any Set. Like those of systemd it asks for its port by number: one that the
// kernel chose would be another after shutdown(2) and listen(2).
func bound(t testing.TB, address string, share sharing) int {
	t.Helper()
	a, err := ParseAddress(address)
	must(t, err)
	e, err := endpointOf(a)
	must(t, err)
	if e.port == 0 {
		e, err = claim(e)
		must(t, err)
	}
	fd, err := newSocket(e, share, -1)
	must(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	if a.Network == networkTCP {
		must(t, unix.Listen(fd, 16))
	}
	return fd
}

func portOfTest(t testing.TB, fd int) int {
	t.Helper()
	port, err := portOf(fd)
	must(t, err)
	return port
}

func TestOpenRefuses(t *testing.T) { // not parallel: it looks at all sockets of the process
	taken := portOfTest(t, bound(t, "127.0.0.1:0", exclusive))
	group := portOfTest(t, bound(t, "127.0.0.1:0", grouped))
	wild := portOfTest(t, bound(t, ":0", grouped))
	udp := portOfTest(t, bound(t, "udp:127.0.0.1:0", grouped))
	dir := t.TempDir()
	tests := []struct {
		name  string
		flags []string
		slots int
		want  error
		hint  string
	}{
		{"taken", []string{fmt.Sprintf("127.0.0.1:%d", taken)}, 2, unix.EADDRINUSE, "stop it"},
		{"taken, shared", []string{fmt.Sprintf("127.0.0.1:%d,mode=shared", taken)}, 2, unix.EADDRINUSE, "stop it"},
		{"taken by one we could join", []string{fmt.Sprintf("127.0.0.1:%d", group)}, 2, unix.EADDRINUSE, "stop it"},
		{"taken on all addresses", []string{fmt.Sprintf("127.0.0.1:%d", wild)}, 2, unix.EADDRINUSE, "stop it"},
		{"taken on one address", []string{fmt.Sprintf(":%d", group)}, 2, unix.EADDRINUSE, "stop it"},
		{"taken UDP", []string{fmt.Sprintf("udp:127.0.0.1:%d", udp)}, 2, unix.EADDRINUSE, "stop it"},
		{"taken by our other listener", []string{"unix:" + dir + "/a", "b=unix:" + dir + "/a"}, 2, unix.EADDRINUSE, "close that listener"},
		{"not ours", []string{"192.0.2.77:8080"}, 2, unix.EADDRNOTAVAIL, "no interface"},
		{"the same name", []string{":0", ":0"}, 2, errDuplicate, "name of its own"},
		{"not from systemd", []string{"systemd:web"}, 2, errNotGiven, "FileDescriptorName=web"},
		{"a slot without a port", []string{"127.0.0.1:65535,mode=per-slot"}, 2, errTooMany, ""},
		{"per-slot taken", []string{fmt.Sprintf("127.0.0.1:%d,mode=per-slot", taken-1)}, 2, unix.EADDRINUSE, "stop"},
		{"too many", []string{":0"}, maxSlots + 1, errTooMany, ""},
		{"too many for clients that stay", []string{":0,steer=client-ip"}, buckets + 1, errTooMany, ""},
		{"the second one", []string{"127.0.0.1:0", "u=unix:" + dir + "/u", fmt.Sprintf("x=127.0.0.1:%d", taken)}, 2, unix.EADDRINUSE, "stop it"},
	}
	for _, tt := range tests {
		events := make(chan Event, 1)
		opt := options(t, events)
		before := sockets(t)
		set, _, err := openSet(configs(t, tt.flags...), nil, tt.slots, opt)
		if err == nil {
			_ = set.Close()
			t.Errorf("%s: opened", tt.name)
			continue
		}
		var open *OpenError
		if !errors.As(err, &open) || !errors.Is(err, tt.want) || !strings.Contains(open.Hint(), tt.hint) || !strings.HasPrefix(err.Error(), "cannot ") {
			t.Errorf("%s: %v, want %v with a hint about %q", tt.name, err, tt.want, tt.hint)
		}
		noneLeaked(t, before, tt.name)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, _, err := openSet(configs(t, ":0"), nil, 0, options(t, make(chan Event, 1))); !errors.Is(err, errNoSlots) {
		t.Errorf("opened for no slots: %v", err)
	}
	if _, err := NewSet(nil, Options{}); err == nil {
		t.Error("made without a poller")
	}
}

func TestAddressInUseNamesTheProcess(t *testing.T) {
	t.Parallel()
	said, pid := runGuest(t, "127.0.0.1:0", nil)
	if said.Error != "" {
		t.Fatal(said.Error)
	}
	_, _, err := openSet(configs(t, said.Listeners[0].Address), nil, 1, options(t, make(chan Event, 1)))
	var open *OpenError
	if !errors.As(err, &open) || !strings.HasPrefix(open.Owner, fmt.Sprintf("pid %d (", pid)) {
		t.Errorf("got %v, want pid %d to be named", err, pid)
	}
}

func TestPrivilegedPort(t *testing.T) {
	t.Parallel()
	said, _ := runGuest(t, "127.0.0.1:1", func(cmd *exec.Cmd) {
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
	})
	if said.Kind != "permission" || !strings.Contains(said.Hint, "CAP_NET_BIND_SERVICE") || !strings.Contains(said.Hint, "from port 1 ") {
		t.Errorf("got %+v", said)
	}
}

func TestUnprivilegedSteering(t *testing.T) {
	t.Parallel()
	said, _ := runGuest(t, "127.0.0.1:0", func(cmd *exec.Cmd) {
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
	})
	if said.Error != "" || len(said.Listeners) != 1 || said.Listeners[0].Mode != "sharded" {
		t.Errorf("got %+v", said)
	}
}

// TestConnectionsDoNotWaitForAcknowledgements: a connection has TCP_NODELAY from its listener, whatever the worker does.
func TestConnectionsDoNotWaitForAcknowledgements(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", "[::1]:0", "127.0.0.1:0,mode=shared"} {
		l := open(t, 1, flag).first()
		client, err := net.Dial("tcp", l.Address().String())
		must(t, err)
		defer client.Close()
		var accepted int
		for side := range Side(sides) {
			if accepted, _, err = unix.Accept(l.FD(0, side)); err == nil {
				break
			}
		}
		must(t, err)
		value, err := unix.GetsockoptInt(accepted, unix.IPPROTO_TCP, unix.TCP_NODELAY)
		if err != nil || value == 0 {
			t.Errorf("%s: TCP_NODELAY is %d, %v", flag, value, err)
		}
		must(t, unix.Close(accepted))
	}
}

func TestPortZeroIsOnePort(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", ":0", "localhost:0", "tcp6:localhost:0", "udp:127.0.0.1:0", "udp::0", ":0,mode=shared"} {
		l := open(t, 3, flag).first()
		want := l.Address().Port
		if want == 0 {
			t.Errorf("%s: port is 0", flag)
		}
		inodes := map[uint64]bool{}
		for slot := range 3 {
			for side := range Side(sides) {
				if got := portOfTest(t, l.FD(slot, side)); got != want || l.Port(slot) != want {
					t.Errorf("%s: slot %d side %s has port %d, want %d", flag, slot, side, got, want)
				}
				inodes[l.Inode(slot, side)] = true
			}
		}
		if many := map[Mode]int{Sharded: 6, Shared: 1}[l.Mode()]; len(inodes) != many || inodes[0] {
			t.Errorf("%s: %d sockets, want %d", flag, len(inodes), many)
		}
		if again, err := ParseAddress(l.Address().String()); err != nil || again != l.Address() {
			t.Errorf("%s: address %s reads back as %+v, %v", flag, l.Address(), again, err)
		}
	}
}

func TestPerSlot(t *testing.T) {
	t.Parallel()
	base := freePorts(t, 3)
	h := open(t, 2, fmt.Sprintf("127.0.0.1:%d,mode=per-slot", base))
	l := h.first()
	if l.Mode() != PerSlot || l.FD(1, A) != -1 || l.Port(1) != base+1 || l.Inode(0, B) != 0 {
		t.Errorf("mode %s, descriptor %d, port %d", l.Mode(), l.FD(1, A), l.Port(1))
	}
	must(t, l.Steer([]Member{{0, A}}))
	must(t, l.Abandon(0, A))
	if r, err := l.Restore(0, A); r != 0 || err != nil {
		t.Errorf("Restore: %s, %v", r, err)
	}
	if _, err := l.Dial(deadline(t), 0, A); !errors.Is(err, ErrNoLane) {
		t.Errorf("Dial: %v", err)
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+2))
	must(t, err)
	defer ln.Close()
	err = h.first().Grow(3)
	var open *OpenError
	if !errors.As(err, &open) || !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), "slot 2") {
		t.Errorf("Grow onto a taken port: %v", err)
	}
}

// TestUDPFlows: the worker of a flow changes only when it has to.
func TestUDPFlows(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"udp:127.0.0.1:0", "udp:[::1]:0", "udp::0"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			const slots, flows = 4, 200
			h := open(t, slots, flag)
			l := h.first()
			if !l.Datagram() || l.Mode() != Sharded {
				t.Fatalf("mode is %s", l.Mode())
			}
			var conns []net.Conn
			for range flows {
				conn, err := net.Dial("udp", l.testTarget())
				must(t, err)
				defer conn.Close()
				conns = append(conns, conn)
			}
			before := flowsAt(t, l, conns, slots)
			held := map[Member]int{}
			for _, at := range before {
				held[at]++
			}
			for slot := range slots {
				if n := held[Member{slot, A}]; n < flows/slots/2 {
					t.Errorf("slot %d has %d of %d flows", slot, n, flows)
				}
			}
			must(t, l.Steer([]Member{{0, A}, {1, A}, {3, A}}))
			for i, now := range flowsAt(t, l, conns, slots) {
				if was := before[i]; (was != now) != (was.Slot == 2) {
					t.Errorf("flow %d was at %v and is at %v", i, was, now)
				}
			}
			// A rollout moves the flows of its slot to the other side.
			must(t, l.Steer([]Member{{0, A}, {1, B}, {2, A}, {3, A}}))
			for i, now := range flowsAt(t, l, conns, slots) {
				want := before[i]
				if want.Slot == 1 {
					want.Side = B
				}
				if now != want {
					t.Errorf("flow %d is at %v, want %v", i, now, want)
				}
			}
			must(t, h.first().Grow(slots+1))
			for i, now := range flowsAt(t, l, conns, slots+1) {
				if was := before[i]; was.Slot != 1 && now != was {
					t.Errorf("flow %d was at %v and is at %v after Grow alone", i, was, now)
				}
			}
		})
	}
}

// flowsAt sends one datagram per flow and looks where it arrived. Loopback datagrams are there when send returns.
func flowsAt(t *testing.T, l *Listener, conns []net.Conn, slots int) map[int]Member {
	t.Helper()
	for i, conn := range conns {
		_, err := conn.Write([]byte{byte(i)})
		must(t, err)
	}
	at := map[int]Member{}
	buf := make([]byte, 16)
	for slot := range slots {
		for side := range Side(sides) {
			for {
				n, _, err := unix.Recvfrom(l.FD(slot, side), buf, unix.MSG_DONTWAIT)
				if err != nil {
					break
				}
				if n == 1 {
					at[int(buf[0])] = Member{slot, side}
				}
			}
		}
	}
	if len(at) != len(conns) {
		t.Errorf("%d of %d datagrams arrived", len(at), len(conns))
	}
	return at
}
