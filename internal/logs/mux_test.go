package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/poll"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits that only end late when something is broken.
const patience = 20 * time.Second

// house is a Mux between a real poller and two real pipes.
type house struct {
	*Mux
	out, err *os.File // our reading ends of the supervisor's stdout and stderr
	outW     *os.File
	errW     *os.File
}

func newHouse(t testing.TB, options ...func(*Options)) *house {
	t.Helper()
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{}
	h.out, h.outW = osPipe(t)
	h.err, h.errW = osPipe(t)
	opt := Options{Poller: p, Stdout: int(h.outW.Fd()), Stderr: int(h.errW.Fd())}
	for _, change := range options {
		change(&opt)
	}
	h.Mux = New(opt)
	t.Cleanup(func() {
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.Mux.Close(done)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func osPipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	return r, w
}

// of is the worker of a label such as web.2.
func of(label string) Worker {
	pool, slot, _ := strings.Cut(label, ".")
	n, _ := strconv.Atoi(slot)
	return Worker{Pool: pool, Slot: n, ID: 100 + n}
}

func (h *house) open(t testing.TB, label string, mode Mode) *Stream {
	t.Helper()
	s, err := h.Open(of(label), Settings{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// finish flushes everything and returns what arrived on stdout and stderr.
func (h *house) finish(t *testing.T) (stdout, stderr string) {
	t.Helper()
	got := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(h.out)
		got <- string(b)
	}()
	errs := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(h.err)
		errs <- string(b)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	_ = h.outW.Close()
	_ = h.errW.Close()
	return <-got, <-errs
}

func say(t testing.TB, fd int, text string) {
	t.Helper()
	for b := []byte(text); len(b) > 0; {
		n, err := syscall.Write(fd, b)
		if err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
}

func read(t *testing.T, from *os.File, n int) string {
	t.Helper()
	b := make([]byte, n)
	if err := from.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(from, b); err != nil {
		t.Fatalf("got %q: %v", b, err)
	}
	return string(b)
}

func TestPrefixedLinesAreWhole(t *testing.T) {
	h := newHouse(t)
	h.Widen(6)
	h.Widen(3)
	one, two := h.open(t, "web.1", Prefix), h.open(t, "web.12", Prefix)
	say(t, one.Stdout(), "hel")
	say(t, two.Stdout(), "a\n\nb\n")
	if got, want := read(t, h.out, 32), "web.12 | a\nweb.12 | \nweb.12 | b\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	say(t, one.Stdout(), "lo\nlast")
	say(t, one.Stderr(), "oops")
	one.Spawned(1)
	one.Close()
	two.Close()
	stdout, stderr := h.finish(t)
	if want := "web.1  | hello\nweb.1  | last\n"; stdout != want {
		t.Errorf("stdout %q, want %q", stdout, want)
	}
	if want := "web.1  | oops\n"; stderr != want {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
}

func TestTerminalKeepsOrderOfBothStreams(t *testing.T) {
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r, w := osPipe(t)
	m := New(Options{Poller: p, Stdout: int(w.Fd()), Stderr: int(w.Fd())})
	s, err := m.Open(Worker{Pool: "a"}, Settings{Mode: Prefix})
	if err != nil {
		t.Fatal(err)
	}
	if m.out != m.err {
		t.Error("one destination has two queues")
	}
	say(t, s.Stdout(), "1\n")
	if got := read(t, r, 8); got != "a.0 | 1\n" {
		t.Errorf("got %q", got)
	}
	say(t, s.Stderr(), "2\n")
	if got := read(t, r, 8); got != "a.0 | 2\n" {
		t.Errorf("got %q", got)
	}
	s.Close()
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTailPassesBytesUnchanged(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	text := "no newline\x00\xff\x1b[31m\r\n\n\nend"
	say(t, s.Stderr(), text)
	if got := read(t, h.err, len(text)); got != text {
		t.Fatalf("got %q", got)
	}
	say(t, s.Stdout(), text)
	if got := read(t, h.out, len(text)); got != text {
		t.Fatalf("got %q", got)
	}
	if got := s.Tail(2); len(got) != 2 || got[1] != "end" {
		t.Errorf("tail %q", got)
	}
}

func TestInheritKeepsNothing(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Inherit)
	if s.Stdout() != int(h.outW.Fd()) || s.Stderr() != int(h.errW.Fd()) {
		t.Errorf("got %d and %d", s.Stdout(), s.Stderr())
	}
	s.Spawned(1)
	s.Close()
	if got := s.Tail(5); got != nil {
		t.Errorf("tail %q", got)
	}
}

// The last words of a dead worker are in the pipe, the poller is busy elsewhere.
func TestTailSeesWhatThePollerHasNot(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	gate, open := osPipe(t)
	entered, release := make(chan struct{}), make(chan struct{})
	fd := int(gate.Fd())
	if err := h.opt.Poller.Add(fd, func() { _ = h.opt.Poller.Remove(fd); close(entered); <-release }); err != nil {
		t.Fatal(err)
	}
	say(t, int(open.Fd()), "x")
	<-entered
	say(t, s.Stderr(), "Traceback:\n  KeyError\n")
	s.Spawned(1)
	if got := s.Tail(5); strings.Join(got, "|") != "Traceback:|  KeyError" {
		t.Errorf("got %q", got)
	}
	s.Close()
	close(release)
	if _, stderr := h.finish(t); stderr != "Traceback:\n  KeyError\n" {
		t.Errorf("stderr %q", stderr)
	}
	if got := s.Tail(1); len(got) != 1 || got[0] != "  KeyError" {
		t.Errorf("after close: %q", got)
	}
}

// Java programs and others write all they have to say to stdout. It is their last word if there is none on stderr.
func TestTailOfStdout(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	say(t, s.Stdout(), "starting\nOutOfMemoryError\n")
	if got := strings.Join(s.Tail(1), "|"); got != "OutOfMemoryError" {
		t.Errorf("got %q", got)
	}
	say(t, s.Stderr(), "Aborted\n")
	if got := strings.Join(s.Tail(2), "|"); got != "Aborted" {
		t.Errorf("got %q", got)
	}
}

// Nobody reads our stderr: the worker is held back, the poller is not, and
// nothing is lost once somebody reads.
func TestBlockedConsumerHoldsTheWorkerBack(t *testing.T) {
	h := newHouse(t)
	s, err := h.Open(Worker{Pool: "web"}, Settings{Mode: Tail, Backpressure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	const size = 1 << 20
	written := make(chan error, 1)
	go func() {
		line := bytes.Repeat([]byte("x"), 1023)
		var err error
		for sent := 0; sent < size && err == nil; sent += 1024 {
			_, err = syscall.Write(s.Stderr(), append(line, '\n'))
		}
		s.Spawned(1)
		written <- err
	}()
	// Parked means: no longer watched, with the pipe full behind it.
	parked := func() bool {
		s.err.mu.Lock()
		defer s.err.mu.Unlock()
		return !s.err.watched
	}
	for poked := make(chan struct{}, 1); !parked(); <-poked {
		poke(t, h, poked)
	}
	select {
	case err := <-written:
		t.Fatalf("1 MiB disappeared into a consumer that does not read: %v", err)
	default:
	}
	if got := read(t, h.err, size); strings.Count(got, "\n") != size/1024 {
		t.Errorf("lines were lost: %d", strings.Count(got, "\n"))
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if lost := h.Lost(); lost != 0 {
		t.Errorf("%d bytes lost", lost)
	}
}

// All queues together are long, and the worker may wait: it does, and loses nothing.
func TestAllQueuesTogetherHoldTheWorkerBack(t *testing.T) {
	h := newHouse(t)
	s, err := h.Open(Worker{Pool: "web"}, Settings{Mode: Tail, Backpressure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h.queued.Add(totalLimit)
	const size = 1 << 20
	written := make(chan error, 1)
	go func() {
		line := bytes.Repeat([]byte("x"), 1023)
		var err error
		for sent := 0; sent < size && err == nil; sent += 1024 {
			_, err = syscall.Write(s.Stderr(), append(line, '\n'))
		}
		s.Spawned(1)
		written <- err
	}()
	if got := read(t, h.err, size); strings.Count(got, "\n") != size/1024 {
		t.Errorf("lines were lost: %d", strings.Count(got, "\n"))
	}
	if err := <-written; err != nil || h.Lost() != 0 {
		t.Errorf("%v, %d bytes lost", err, h.Lost())
	}
}

// poke has the poller call back once: proof that it still turns.
func poke(t *testing.T, h *house, done chan<- struct{}) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := int(r.Fd())
	if err := h.opt.Poller.Add(fd, func() { _ = h.opt.Poller.Remove(fd); _ = r.Close(); done <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
}

func TestGoneConsumerCostsOnlyTheOutput(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	_ = h.err.Close()
	for range 64 { // more than fits any queue, so it must be going somewhere
		say(t, s.Stderr(), strings.Repeat("y", 64<<10))
	}
	say(t, s.Stderr(), "\nlast\n")
	s.Spawned(1)
	if got := s.Tail(1); len(got) != 1 || got[0] != "last" {
		t.Errorf("tail %q", got)
	}
	s.Close()
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if h.Lost() != 64*64<<10+6 {
		t.Errorf("%d bytes counted as lost", h.Lost())
	}
}

func TestFullDiskIsNoReasonToStop(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	m := New(Options{Stdout: 1, Stderr: int(full.Fd())})
	if n, err := m.Log().Write([]byte("lost")); n != 4 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if m.Lost() != 4 {
		t.Errorf("%d bytes counted as lost", m.Lost())
	}
}

func TestLogNeverBlocks(t *testing.T) {
	reports := make(chan Trouble, 8)
	h := newHouse(t, func(o *Options) { o.Report = func(tr Trouble) { reports <- tr } })
	line := []byte(strings.Repeat("z", 64<<10-1) + "\n")
	for range 2 * hardLimit / len(line) {
		if _, err := h.Log().Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if h.Lost() == 0 {
		t.Error("nothing was counted as lost")
	}
	if tr := <-reports; tr.Where != "stderr" || tr.Lines == 0 || tr.Bytes != tr.Lines*uint64(len(line)) {
		t.Errorf("%+v", tr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
}

func TestOpenAfterClose(t *testing.T) {
	h := newHouse(t)
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(Worker{Pool: "web", Slot: 0}, Settings{Mode: Tail}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// Descriptor flags of the shared stderr stay as they were.
func TestSharedDescriptorStaysBlocking(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	for what, fd := range map[string]int{"ours": int(h.errW.Fd()), "the worker's": s.Stderr()} {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
		if errno != 0 || flags&syscall.O_NONBLOCK != 0 {
			t.Errorf("%s is non-blocking (%#x, %v)", what, flags, errno)
		}
	}
}
