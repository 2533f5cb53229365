package listener

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestReadEnviron(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pid, fds, names string
		want            []Inherited
		fails           string
	}{
		{"", "", "", nil, ""},
		{"77", "", "", nil, ""},
		{"", "1", "", nil, ""},
		{"78", "1", "a", nil, ""},
		{"78", "garbage", "a", nil, ""}, // not meant for us
		{"77", "0", "", []Inherited{}, ""},
		{"77", "2", "web:ctl", []Inherited{{3, "web"}, {4, "ctl"}}, ""},
		{"77", "3", "web:web:web", []Inherited{{3, "web"}, {4, "web"}, {5, "web"}}, ""},
		{"77", "2", "", []Inherited{{3, "unknown"}, {4, "unknown"}}, ""},
		{"77", "2", ":x", []Inherited{{3, "unknown"}, {4, "x"}}, ""},
		{"garbage", "1", "a", nil, "LISTEN_PID"},
		{"-77", "1", "a", nil, "LISTEN_PID"},
		{"77 ", "1", "a", nil, "LISTEN_PID"},
		{"99999999999", "1", "a", nil, "LISTEN_PID"},
		{"77", "-1", "a", nil, "LISTEN_FDS"},
		{"77", "1x", "a", nil, "LISTEN_FDS"},
		{"77", "70000", "", nil, "LISTEN_FDS"},
		{"77", "2", "a", nil, "LISTEN_FDNAMES"},
		{"77", "1", "a:b", nil, "LISTEN_FDNAMES"},
		{"77", "1", "a\nb", nil, "LISTEN_FDNAMES"},
		{"77", "0", "a", nil, "LISTEN_FDNAMES"},
	}
	for _, tt := range tests {
		env := map[string]string{"LISTEN_PID": tt.pid, "LISTEN_FDS": tt.fds, "LISTEN_FDNAMES": tt.names}
		got, err := readEnviron(func(key string) string { return env[key] }, 77)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: (-want +got)\n%s", tt, diff)
		}
		if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// TestStored: what comes back from the store is told from sockets by its name, whatever it is.
func TestStored(t *testing.T) {
	t.Parallel()
	env := map[string]string{"LISTEN_PID": "77", "LISTEN_FDS": "4", "LISTEN_FDNAMES": "brood/record:brood/1:brood/1:brood/12"}
	getenv := func(key string) string { return env[key] }
	if all, err := FromSystemd(getenv, 77); err != nil || len(all) != 0 {
		t.Errorf("sockets are %v, %v", all, err)
	}
	all, err := StoredBySystemd(getenv, 76)
	if err != nil || len(all) != 0 {
		t.Errorf("what is meant for another is %v, %v", all, err)
	}
	env["LISTEN_FDNAMES"] = "brood.socket:brood:broods/1:x"
	if all, err = StoredBySystemd(getenv, 77); err != nil || len(all) != 0 {
		t.Errorf("what has other names is %v, %v", all, err)
	}
}

// activate runs a guest as systemd would start it, with copies of fds from 3 on.
func activate(t *testing.T, names string, fds ...int) answer {
	t.Helper()
	said, _ := runGuest(t, "systemd", func(cmd *exec.Cmd) {
		for _, fd := range fds {
			cmd.ExtraFiles = append(cmd.ExtraFiles, copyOf(t, fd))
		}
		cmd.Env = append(cmd.Env, "LISTEN_PID=SELF", fmt.Sprintf("LISTEN_FDS=%d", len(fds)), "LISTEN_FDNAMES="+names)
	})
	return said
}

func TestFromSystemd(t *testing.T) {
	t.Parallel()
	web, group, udp := bound(t, "127.0.0.1:0", exclusive), bound(t, ":0", grouped), bound(t, "udp:127.0.0.1:0", exclusive)
	for _, fd := range []int{web, group, udp} {
		must(t, unix.SetNonblock(fd, false)) // as systemd leaves them
	}
	path := t.TempDir() + "/u"
	u, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { _ = unix.Close(u) })
	must(t, unix.Bind(u, &unix.SockaddrUnix{Name: path}))
	must(t, unix.Listen(u, 5))

	got := activate(t, "web:group:udp:u", web, group, udp, u)
	at := func(fd int) string { return fmt.Sprint(portOfTest(t, fd)) }
	want := answer{Listeners: []told{
		{"web", "127.0.0.1:" + at(web), "shared", 3, true, true},
		{"group", ":" + at(group), "sharded", 4, true, true},
		{"udp", "udp:127.0.0.1:" + at(udp), "shared", 5, true, true},
		{"u", "unix:" + path, "shared", 6, true, true},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got = activate(t, "web.socket:web.socket:u", web, udp, u) // as of a unit with two ListenStream= and no name
	want = answer{Listeners: []told{
		{"web.socket", "127.0.0.1:" + at(web), "shared", 3, true, true},
		{"web.socket-2", "udp:127.0.0.1:" + at(udp), "shared", 4, true, true},
		{"u", "unix:" + path, "shared", 5, true, true},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket file of systemd is gone: %v", err)
	}
}

func TestFromSystemdRefuses(t *testing.T) {
	t.Parallel()
	web, other := bound(t, "127.0.0.1:0", exclusive), bound(t, "127.0.0.1:0", exclusive)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	mute, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	dgram, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	seq, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	null, err := os.Open(os.DevNull)
	must(t, err)
	t.Cleanup(func() {
		for _, fd := range []int{pair[0], pair[1], mute, dgram, seq} {
			_ = unix.Close(fd)
		}
		_ = null.Close()
	})
	tests := []struct {
		name, names string
		fds         []int
		want        string
	}{
		{"a file", "x", []int{int(null.Fd())}, "not a socket"},
		{"a connection", "x", []int{pair[0]}, "Accept=no"},
		{"a socket that does not listen", "x", []int{mute}, "does not listen"},
		{"a unix datagram socket", "x", []int{dgram}, "unix datagram"},
		{"a packet socket", "x", []int{seq}, "neither a stream nor a datagram"},
		{"too few names", "x", []int{web, other}, "LISTEN_FDNAMES has 1 names"},
	}
	for _, tt := range tests {
		got := activate(t, tt.names, tt.fds...)
		if !strings.Contains(got.Error, tt.want) || !strings.HasPrefix(got.Error, "cannot ") {
			t.Errorf("%s: got %+v, want an error about %q", tt.name, got, tt.want)
		}
	}
	closed, _ := runGuest(t, "systemd", func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "LISTEN_PID=SELF", "LISTEN_FDS=500")
	})
	if !strings.Contains(closed.Error, "cannot take socket") {
		t.Errorf("descriptors that are not there: got %+v", closed)
	}
}

// TestInheritedGroup: several sockets of one address, in another order than they listen in, and ours behind them.
func TestInheritedGroup(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, slots, grow int }{{1, 3, 5}, {2, 3, 5}, {3, 3, 4}, {4, 3, 5}, {7, 2, 6}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			fds := []int{bound(t, ":0", grouped)}
			for len(fds) < tt.base {
				fds = append(fds, bound(t, fmt.Sprintf(":%d", portOfTest(t, fds[0])), grouped))
			}
			var inherited []Inherited
			for i := range fds {
				copied, err := unix.FcntlInt(uintptr(fds[len(fds)-1-i]), unix.F_DUPFD_CLOEXEC, 0)
				must(t, err)
				inherited = append(inherited, Inherited{copied, "web"})
			}
			h := openWith(t, tt.slots, inherited)
			l := h.first()
			if len(h.listeners) != 1 || l.Mode() != Sharded || l.Name() != "web" || l.Address().String() != fmt.Sprintf(":%d", portOfTest(t, fds[0])) {
				t.Fatalf("got %d listeners, mode %s, name %s, address %s", len(h.listeners), l.Mode(), l.Name(), l.Address())
			}
			theirs := map[uint64]bool{}
			for _, fd := range fds {
				s, err := newShard(fd)
				must(t, err)
				theirs[s.inode] = true
			}
			for slot := range min(tt.base, tt.slots) {
				if !theirs[l.Inode(slot, A)] {
					t.Errorf("slot %d has a socket of ours on side A", slot)
				}
			}
			must(t, h.first().Grow(tt.grow))
			for slot := range tt.grow {
				for _, side := range []Side{A, B} {
					must(t, l.Adopt(slot, side))
					serve(t, l, slot, side)
				}
			}
			exact(t, l, tt.grow)
		})
	}
}

// TestInheritedQueues: clients that were there before us may be in the queue of a socket that no worker gets.
func TestInheritedQueues(t *testing.T) {
	t.Parallel()
	const clients, slots = 40, 2
	inherited := []Inherited{{bound(t, "127.0.0.1:0", grouped), "web"}}
	address := fmt.Sprintf("127.0.0.1:%d", portOfTest(t, inherited[0].FD))
	for len(inherited) < 2*slots+1 {
		inherited = append(inherited, Inherited{bound(t, address, grouped), "web"})
	}
	var answers sync.WaitGroup
	for range clients {
		conn, err := dial(address, "")
		must(t, err)
		answers.Go(func() {
			if _, err := ask(conn, nil); err != nil {
				t.Error(err)
			}
		})
	}
	for i, in := range inherited {
		copied, err := unix.FcntlInt(uintptr(in.FD), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
		must(t, unix.SetNonblock(copied, true))
		inherited[i].FD = copied
	}
	l := openWith(t, slots, inherited).first()
	for slot := range slots {
		must(t, l.Adopt(slot, A))
		serve(t, l, slot, A)
	}
	answers.Wait()
	for slot := range slots {
		if q, err := l.Queue(slot, B); err != nil || q.Length != 0 {
			t.Errorf("in the queue of %d%s: %+v, %v", slot, B, q, err)
		}
		must(t, l.Adopt(slot, B)) // its connections are its own
		serve(t, l, slot, B)
	}
	exact(t, l, slots)
}

func TestInheritedByAddress(t *testing.T) {
	t.Parallel()
	fd := bound(t, "127.0.0.1:0", grouped)
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	h := openWith(t, 2, []Inherited{{copied, "brood.socket"}}, fmt.Sprintf("web=127.0.0.1:%d", portOfTest(t, fd)))
	if l := h.first(); len(h.listeners) != 1 || l.Name() != "web" || l.FD(0, A) != copied || l.Mode() != Sharded {
		t.Errorf("%d listeners; %s has descriptor %d, mode %s", len(h.listeners), l.Name(), l.FD(0, A), l.Mode())
	}
}

// TestInheritedHalf: who takes the first address of a name has to say what becomes of the second.
func TestInheritedHalf(t *testing.T) {
	t.Parallel()
	var inherited []Inherited
	for range 2 {
		copied, err := unix.FcntlInt(uintptr(bound(t, "127.0.0.1:0", exclusive)), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
		inherited = append(inherited, Inherited{copied, "x"})
	}
	set, err := NewSet(inherited, options(t, make(chan Event, 1)))
	must(t, err)
	t.Cleanup(func() { must(t, set.Close()) })
	var wants []Want
	for _, cfg := range configs(t, "systemd:x", "second=systemd:x-2") {
		wants = append(wants, Want{Config: cfg, Slots: 2})
	}
	_, err = set.Open(wants[:1])
	open, ok := errors.AsType[*OpenError](err)
	if !ok || !errors.Is(err, errAddresses) || !strings.Contains(err.Error(), "x-2 is 127.0.0.1:") || !strings.Contains(open.Hint(), "systemd:x-2") {
		t.Errorf("half of them: %v", err)
	}
	listeners, err := set.Open(wants)
	must(t, err)
	if len(listeners) != 2 || listeners[1].FD(0, A) != inherited[1].FD || listeners[1].Name() != "second" || len(set.Spare(nil)) != 0 {
		t.Errorf("all of them: %d listeners", len(listeners))
	}
}

func TestInheritedModes(t *testing.T) { // not parallel: it looks at all sockets of the process
	plain, group := bound(t, "127.0.0.1:0", exclusive), bound(t, "127.0.0.1:0", grouped)
	second := bound(t, fmt.Sprintf("127.0.0.1:%d", portOfTest(t, group)), grouped)
	stranger := bound(t, "127.0.0.1:0", grouped)
	_ = bound(t, fmt.Sprintf("127.0.0.1:%d", portOfTest(t, stranger)), grouped)
	tests := []struct {
		name, flag string
		fds        []int
		want       error
	}{
		{"sharded without reuseport", "systemd:x,mode=sharded", []int{plain}, errNoReusePort},
		{"several shared", "systemd:x,mode=shared", []int{group, second}, errSeveral},
		{"another name", "systemd:y", []int{plain}, errNotGiven},
		{"the name of another", "x=127.0.0.1:0", []int{plain}, errDuplicate},
		{"with a stranger in the group", "systemd:x", []int{stranger}, ErrInUse},
	}
	for _, tt := range tests {
		var inherited []Inherited
		for _, fd := range tt.fds {
			inherited = append(inherited, Inherited{fd, "x"})
		}
		opt := options(t, make(chan Event, 1))
		before := sockets(t)
		set, _, err := openSet(configs(t, tt.flag), inherited, 2, opt)
		if err == nil {
			_ = set.Close()
			t.Fatalf("%s: opened", tt.name)
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		noneLeaked(t, before, tt.name)
	}
}
