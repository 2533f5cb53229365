package listener

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/internal/testguest"
)

// patience bounds every wait for a fact; it is reached by failures alone.
const patience = 20 * time.Second

// roleEnv makes the test binary another process of a test; see guests.
const roleEnv = "LISTENER_TEST_ROLE"

func TestMain(m *testing.M) {
	testguest.Main()
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(guest(role))
	}
	goleak.VerifyTestMain(m)
}

// guest is what the test binary does as another process: it opens the listener that its argument names, or what systemd
// passes, says what came of it, and stays until its input ends.
func guest(role string) int {
	if flag, ok := strings.CutPrefix(role, successorRole); ok {
		return succeed(flag)
	}
	poller, err := poll.New()
	if err != nil {
		return 3
	}
	said := answer{}
	var inherited []Inherited
	cfgs := []Config{}
	if role == "systemd" {
		pid := os.Getpid()
		inherited, err = FromSystemd(func(key string) string {
			return strings.ReplaceAll(os.Getenv(key), "SELF", fmt.Sprint(pid))
		}, pid)
	} else {
		var cfg Config
		cfg, err = ParseFlag(role)
		cfgs = append(cfgs, cfg)
	}
	var listeners []*Listener
	if err == nil {
		_, listeners, err = openSet(cfgs, inherited, 2, Options{Poller: poller})
	}
	if err != nil {
		said.fail(err)
	} else {
		for _, l := range listeners {
			flags, _ := unix.FcntlInt(uintptr(l.FD(0, A)), unix.F_GETFL, 0)
			cloexec, _ := unix.FcntlInt(uintptr(l.FD(0, A)), unix.F_GETFD, 0)
			said.Listeners = append(said.Listeners, told{
				Name: l.Name(), Address: l.Address().String(), Mode: l.Mode().String(), FD: l.FD(0, A),
				Nonblock: flags&unix.O_NONBLOCK != 0, Cloexec: cloexec&unix.FD_CLOEXEC != 0,
			})
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

type answer struct {
	Listeners         []told
	Error, Hint, Kind string
}

type told struct {
	Name, Address, Mode string
	FD                  int
	Nonblock, Cloexec   bool
}

func (a *answer) fail(err error) {
	a.Error = err.Error()
	if open, ok := errors.AsType[*OpenError](err); ok {
		a.Hint = open.Hint()
	}
	switch {
	case errors.Is(err, os.ErrPermission):
		a.Kind = "permission"
	case errors.Is(err, unix.EADDRINUSE):
		a.Kind = "in use"
	}
}

// runGuest starts the test binary in a role and returns what it says. It lives until the test ends.
func runGuest(t *testing.T, role string, change func(*exec.Cmd)) (answer, int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	// The race detector sleeps for a second at exit.
	cmd.Env = append(os.Environ(), roleEnv+"="+role, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	if change != nil {
		change(cmd)
	}
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for _, f := range cmd.ExtraFiles { // or the collector closes them while another test counts descriptors
		_ = f.Close()
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("guest %s: %v", role, err)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	must(t, err)
	var said answer
	must(t, json.Unmarshal(line, &said))
	return said, cmd.Process.Pid
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// require fails the test where the machine has to have everything, and skips it elsewhere.
func require(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is required when CI=true", what)
	default:
		t.Skipf("needs %s", what)
	}
}

// house is an open Set with what a test needs around it.
type house struct {
	*Set
	t         testing.TB
	events    chan Event
	listeners []*Listener // as first opened
}

func options(t testing.TB, events chan Event) Options {
	poller, err := poll.New()
	must(t, err)
	t.Cleanup(func() { must(t, poller.Close()) })
	return Options{Poller: poller, Report: func(ev Event) {
		select {
		case events <- ev:
		default:
			t.Errorf("nobody reads event %s", ev)
		}
	}}
}

// open opens listeners by their flags.
func open(t testing.TB, slots int, flags ...string) *house {
	t.Helper()
	return openWith(t, slots, nil, flags...)
}

func openWith(t testing.TB, slots int, inherited []Inherited, flags ...string) *house {
	t.Helper()
	h := &house{t: t, events: make(chan Event, 4096)}
	var err error
	h.Set, h.listeners, err = openSet(configs(t, flags...), inherited, slots, options(t, h.events))
	must(t, err)
	t.Cleanup(func() {
		if err := h.Close(); !errors.Is(err, ErrClosed) { // as it is when the test has closed it or handed it over
			must(t, err)
		}
	})
	return h
}

// openSet opens configs, and after them every inherited socket that none of them takes. After an error the inherited
// sockets are still open, and the caller's.
func openSet(cfgs []Config, inherited []Inherited, slots int, opt Options) (*Set, []*Listener, error) {
	set, err := NewSet(inherited, opt)
	if err != nil {
		return nil, nil, err
	}
	listeners, err := set.Open(wants(slots, append(cfgs, set.Spare(cfgs)...)...))
	if err != nil {
		return nil, nil, err
	}
	return set, listeners, nil
}

func wants(slots int, cfgs ...Config) []Want {
	var all []Want
	for _, cfg := range cfgs {
		all = append(all, Want{cfg, slots})
	}
	return all
}

// opens opens one more listener.
func (h *house) opens(slots int, flag string) *Listener {
	h.t.Helper()
	opened, err := h.Open(wants(slots, configs(h.t, flag)...))
	must(h.t, err)
	return opened[0]
}

func configs(t testing.TB, flags ...string) []Config {
	t.Helper()
	var cfgs []Config
	for _, f := range flags {
		cfg, err := ParseFlag(f)
		must(t, err)
		cfgs = append(cfgs, cfg)
	}
	return cfgs
}

func (h *house) first() *Listener { return h.listeners[0] }

// wait returns the next event of a kind.
func (h *house) wait(kind EventKind) Event {
	h.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case ev := <-h.events:
			if ev.Kind == kind {
				return ev
			}
		case <-timeout:
			h.t.Fatalf("no event %s came", kind)
		}
	}
}

// worker serves a shard as a worker would, with a copy of its descriptor, and says who it is on each connection.
type worker struct {
	net.Listener
	gone sync.WaitGroup
}

func serve(t testing.TB, l *Listener, slot int, side Side) *worker {
	t.Helper()
	return serveWith(t, l, slot, side, func(conn net.Conn) {
		_, _ = fmt.Fprintf(conn, "%d%s", slot, side)
	})
}

func serveWith(t testing.TB, l *Listener, slot int, side Side, handle func(net.Conn)) *worker {
	t.Helper()
	w := &worker{Listener: fileListener(t, l.FD(slot, side))}
	w.gone.Go(func() {
		for {
			conn, err := w.Accept()
			if err != nil {
				return
			}
			w.gone.Go(func() {
				handle(conn)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(w.stop)
	return w
}

func (w *worker) stop() {
	_ = w.Close()
	w.gone.Wait()
}

// fileListener makes a listener of a copy of fd, which keeps its flags.
func fileListener(t testing.TB, fd int) net.Listener {
	t.Helper()
	f := copyOf(t, fd)
	defer func() { _ = f.Close() }()
	ln, err := net.FileListener(f)
	must(t, err)
	return ln
}

func copyOf(t testing.TB, fd int) *os.File {
	t.Helper()
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	return os.NewFile(uintptr(dup), "copy")
}

// ask connects and reads who answers.
func ask(conn net.Conn, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(conn)
	if err == nil && len(b) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return string(b), err
}

// dial connects to an address, from a source if one is given.
func dial(address, source string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	if source != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(source)}
	}
	return d.Dial("tcp", address)
}

// testTarget is the address under which the test reaches a listener.
func (l *Listener) testTarget() string {
	return net.JoinHostPort(l.end.loopback().String(), fmt.Sprint(l.Port(0)))
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// sockets lists the open sockets and files of this process.
func sockets(t testing.TB) map[string]bool {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	open := map[string]bool{}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && (strings.HasPrefix(to, "socket:") || strings.HasPrefix(to, "/")) {
			open[to] = true
		}
	}
	return open
}

// noneLeaked fails for sockets and files that were not open before.
func noneLeaked(t testing.TB, before map[string]bool, name string) {
	t.Helper()
	for s := range sockets(t) {
		if !before[s] {
			t.Errorf("%s: %s stayed open", name, s)
		}
	}
}
