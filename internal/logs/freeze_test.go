package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/internal/testhost"
)

// terminal returns both ends of one that changes nothing.
func terminal(t testing.TB) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { _ = master.Close() })
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slave.Close() })
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// handOn freezes a house and returns the one that goes on with its descriptors, which is what follows an exec: of the first
// one nothing runs any more.
func handOn(t testing.TB, from *house, wait time.Duration, options ...func(*Options)) (*house, *Handed) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	h, err := from.Freeze(ctx)
	if err != nil {
		t.Fatal(err)
	}
	read := clone(t, h)
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	next := &house{out: from.out, err: from.err, outW: from.outW, errW: from.errW}
	opt := from.opt
	opt.Poller = p
	for _, change := range options {
		change(&opt)
	}
	if next.Mux, err = Restore(opt, read); err != nil {
		t.Fatal(err)
	}
	from.forgetDescriptors()
	t.Cleanup(func() {
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_ = next.Mux.Close(done)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return next, read
}

// forgetDescriptors has a Mux that is frozen end without its descriptors, as the exec that ends it does not close them.
func (h *house) forgetDescriptors() {
	for _, s := range h.streamsNow() {
		s.each(func(l *lane) { l.read = -1 })
	}
	for _, s := range h.sinksNow() {
		if f, ok := s.to.(*file); ok {
			f.fd, s.gone = -1, true
		}
		s.flying, s.pending, s.flown = nil, nil, 0
	}
	clear(h.files)
}

func (h *house) adopt(t testing.TB, s *Stream, label string) *Stream {
	t.Helper()
	next, err := h.Adopt(s.Handle(), of(label))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(next.Close)
	return next
}

// worker is one that runs: the writing ends are its own.
type worker struct {
	*Stream
	out, err *os.File
}

func (h *house) start(t testing.TB, label string, set Settings, pid int) *worker {
	t.Helper()
	s, err := h.Open(of(label), set)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{Stream: s, out: os.NewFile(uintptr(dup(t, s.Stdout())), "stdout"), err: os.NewFile(uintptr(dup(t, s.Stderr())), "stderr")}
	s.Spawned(pid)
	t.Cleanup(func() { _ = w.out.Close(); _ = w.err.Close(); s.Close() })
	return w
}

func TestAnotherProgramGoesOn(t *testing.T) {
	h := newHouse(t)
	h.Widen(7)
	first := h.start(t, "web.9", Settings{Mode: Tail}, 11)
	say(t, int(first.err.Fd()), "gone\n")
	_ = read(t, h.err, 5)
	first.Close()
	w := h.start(t, "web.1", Settings{Mode: Prefix}, 12)
	say(t, int(w.out.Fd()), "one\ntwo")
	if got := read(t, h.out, len("web.1   | one\n")); got != "web.1   | one\n" {
		t.Fatalf("%q", got)
	}
	stats, kept := h.Stats(), h.Recent(Filter{})
	next, _ := handOn(t, h, patience)
	if got := next.Stats(); len(got) != 2 || got[0] != stats[0] || got[1] != stats[1] {
		t.Errorf("%+v, want %+v", got, stats)
	}
	got := next.Recent(Filter{})
	if len(got) != len(kept) || texts(got) != "gone|one|two" {
		t.Fatalf("%+v, want %+v", got, kept)
	}
	for i := range got {
		if kept[i].Time = kept[i].Time.Local(); got[i] != kept[i] {
			t.Errorf("%+v, want %+v", got[i], kept[i])
		}
	}
	say(t, int(w.out.Fd()), " and a half\n")
	s := next.adopt(t, w.Stream, "web.1")
	next.Settle()
	say(t, int(w.err.Fd()), "err\n")
	if got, want := read(t, h.out, len("web.1   | two and a half\n")), "web.1   | two and a half\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := read(t, h.err, len("web.1   | err\n")), "web.1   | err\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := strings.Join(s.Tail(5), "|"); got != "err" {
		t.Errorf("tail %q", got)
	}
	if l := next.Recent(Filter{Last: 1}); l[0].PID != 12 || l[0].Text != "err" || l[0].WorkerID != 101 || l[0].Handle != s.Handle() || l[0].Number != 3 {
		t.Errorf("%+v", l)
	}
	if _, err := next.Adopt(s.Handle(), of("web.1")); err == nil {
		t.Error("adopted twice")
	}
	if s := next.start(t, "web.2", Settings{}, 1); s.Handle() != 3 {
		t.Errorf("handle %d", s.Handle())
	}
}

// A reader that takes nothing does not hold the next program up, and gets all from that one.
func TestStuckReaderAtFreeze(t *testing.T) {
	for _, thaw := range []bool{false, true} {
		h := newHouse(t)
		w := h.start(t, "web.0", Settings{Mode: Prefix}, 1)
		line := strings.Repeat("v", 99) + "\n"
		const count = 10 * 600
		for range count / 600 {
			say(t, int(w.out.Fd()), strings.Repeat(line, 600))
		}
		want := strings.Repeat("web.0 | "+line, count)
		if thaw {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := h.Freeze(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Freeze(ctx); !errors.Is(err, ErrFrozen) {
				t.Errorf("frozen twice: %v", err)
			}
			if _, err := h.Open(of("web.1"), Settings{}); !errors.Is(err, ErrFrozen) {
				t.Errorf("opened while frozen: %v", err)
			}
			say(t, int(w.err.Fd()), "frozen\n")
			if got := w.Tail(1); len(got) == 1 && got[0] == "frozen" || w.Stream.err.watched {
				t.Errorf("read while frozen: %q", got)
			}
			w.Close()
			_, _ = h.Log().Write([]byte("no other program\n"))
			h.Thaw()
			if open := h.streamsNow(); len(open) != 0 {
				t.Errorf("%d streams were not closed", len(open))
			}
			_ = read(t, h.err, len("no other program\nweb.0 | frozen\n"))
			var count [8]byte
			if _, err := unix.Read(h.Mux.out.to.(*stdio).wake, count[:]); !errors.Is(err, unix.EAGAIN) {
				t.Errorf("the writer still gives up: %v", err)
			}
		} else {
			next, handed := handOn(t, h, 10*time.Millisecond)
			if len(handed.Queues) != 2 || handed.Queues[0].Bytes.Size == 0 {
				t.Fatalf("nothing was left: %+v", handed.Queues)
			}
			next.adopt(t, w.Stream, "web.0")
			h = next
		}
		if got := read(t, h.out, len(want)); got != want {
			t.Errorf("thaw %t: got something else", thaw)
		}
		if h.Lost() != 0 {
			t.Errorf("%d bytes lost", h.Lost())
		}
	}
}

// A terminal may stop in the middle of a write. An exec would end that, and nobody knew how much of it went: so there is none.
func TestWriteThatDoesNotEnd(t *testing.T) {
	master, slave := terminal(t)
	h := newHouse(t, func(o *Options) { o.Stdout = int(slave.Fd()) })
	w := h.start(t, "web.0", Settings{Mode: Tail}, 1)
	text := strings.Repeat(strings.Repeat("t", 99)+"\n", 600)
	say(t, int(w.out.Fd()), text)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Freeze(ctx)
	for begun := time.Now(); err == nil && time.Since(begun) < patience; _, err = h.Freeze(ctx) { // until it is in that write
		h.Thaw()
	}
	if err == nil || !strings.Contains(err.Error(), "stdout is within a write") {
		t.Errorf("frozen: %v", err)
	}
	if got := read(t, master, len(text)); got != text {
		t.Error("what came after is something else")
	}
}

// The disk is full when the program is replaced. What waited for room is written by the next one, which also says that it is over.
func TestFullDiskAtFreeze(t *testing.T) {
	testhost.Need(t, testhost.Root)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	reports := make(chan Trouble, 8)
	report := func(o *Options) { o.Report = func(tr Trouble) { reports <- tr } }
	h := newHouse(t, report)
	path := filepath.Join(dir, "web.log")
	w := h.start(t, "web.0", Settings{Mode: File, File: FileSettings{Stdout: path, Stderr: path}}, 1)
	text := strings.Repeat(strings.Repeat("d", 66)+"\n", 900)
	say(t, int(w.out.Fd()), text)
	if tr := <-reports; !errors.Is(tr.Err, syscall.ENOSPC) || tr.Lines != 0 {
		t.Errorf("%+v", tr)
	}
	begun := time.Now()
	next, handed := handOn(t, h, patience)
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("it waited %v for a disk", took)
	}
	if len(handed.Troubles) != 1 || handed.Troubles[0].Where != path {
		t.Errorf("%+v", handed.Troubles)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	next.adopt(t, w.Stream, "web.0").Close()
	next.Settle()
	next.end(t)
	if got := content(t, path); got != text {
		t.Errorf("%d of %d bytes", len(got), len(text))
	}
}

// Who was not adopted has said his last words.
func TestSettle(t *testing.T) {
	h := newHouse(t)
	w := h.start(t, "web.0", Settings{Mode: Tail}, 1)
	next, handed := handOn(t, h, patience)
	say(t, int(w.out.Fd()), "last words")
	if n := len(handed.Descriptors()); n != 2 {
		t.Errorf("%d descriptors", n)
	}
	next.Settle()
	if got := read(t, h.out, 10); got != "last words" {
		t.Errorf("%q", got)
	}
	if _, err := next.Adopt(w.Handle(), of("web.0")); !errors.Is(err, ErrNotHanded) {
		t.Errorf("adopted: %v", err)
	}
	if got := texts(next.Recent(Filter{})); got != "last words" {
		t.Errorf("kept %q", got)
	}
	if _, err := w.out.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("it is still open: %v", err)
	}
}

// A number that leads to something else costs that worker's output, and nobody else's.
func TestDescriptorsThatAreSomethingElse(t *testing.T) {
	h := newHouse(t)
	one, two := h.start(t, "web.1", Settings{}, 1), h.start(t, "web.2", Settings{}, 2)
	wrong := dup(t, int(h.outW.Fd()))
	t.Cleanup(func() { closeFD(wrong) })
	right := one.Stream.out.read
	t.Cleanup(func() { closeFD(right) })
	one.Stream.out.read = wrong
	next, _ := handOn(t, h, patience)
	if _, err := next.Adopt(one.Handle(), of("web.3")); !errors.Is(err, errOther) {
		t.Errorf("adopted as another one: %v", err)
	}
	if _, err := next.Adopt(one.Handle(), of("web.1")); !errors.Is(err, errNoPipe) || !strings.Contains(err.Error(), fmt.Sprintf("descriptor %d:", wrong)) {
		t.Errorf("adopted: %v", err)
	}
	next.adopt(t, two.Stream, "web.2")
	next.Settle()
	say(t, wrong, "open\n")
	say(t, int(two.out.Fd()), "heard\n")
	if got := read(t, h.out, 11); got != "open\nheard\n" {
		t.Errorf("%q", got)
	}
}

func isRunning(s *sink) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// A file that was renamed is written on, until it is said to be begun anew; one that is full has the next number.
func TestFilesGoOn(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t)
	path := filepath.Join(dir, "web.log")
	w := h.start(t, "web.0", Settings{Mode: File, File: FileSettings{Stdout: path, Stderr: path}}, 1)
	say(t, int(w.out.Fd()), "one\nhalf")
	await(t, path, "one\n")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	next, handed := handOn(t, h, patience)
	if n := len(handed.Descriptors()); n != 3 {
		t.Errorf("%d descriptors", n)
	}
	to := next.files[path]
	to.wakeUp()
	for isRunning(to) { // it keeps the file, though nobody uses it yet
		runtime.Gosched()
	}
	s := next.adopt(t, w.Stream, "web.0")
	next.Settle()
	say(t, int(w.out.Fd()), " two\n")
	await(t, path+".old", "one\nhalf two\n")
	next.Reopen()
	say(t, int(w.out.Fd()), "three\n")
	await(t, path, "three\n")
	s.Close()
	for begun := time.Now(); len(next.sinksNow()) > 1; { // stderr is always there
		if runtime.Gosched(); time.Since(begun) > patience {
			t.Fatal("nobody uses it, and it is still open")
		}
	}
}

// Of a line whose beginning was lost the end is lost as well, and one whose end was lost has an end before the next one.
func TestLossesGoOn(t *testing.T) {
	h := newHouse(t)
	w := h.start(t, "web.0", Settings{Mode: Tail}, 1)
	w.Stream.out.raw = skipping
	w.Stream.out.sink.to.(*stdio).torn = true
	say(t, int(w.err.Fd()), "\x1b[1mlast\x1b[0m words\n")
	_ = read(t, h.err, len("\x1b[1mlast\x1b[0m words\n"))
	next, _ := handOn(t, h, patience)
	s := next.adopt(t, w.Stream, "web.0")
	say(t, int(w.out.Fd()), "of the end\nnext\n")
	if got := read(t, h.out, 6); got != "\nnext\n" {
		t.Errorf("%q", got)
	}
	if st := next.Stats()[0]; st.LostLines != 1 || st.LostBytes != 11 || next.Lost() != 11 {
		t.Errorf("%+v, %d", st, next.Lost())
	}
	if got := s.Tail(5); len(got) != 1 || got[0] != "last words" {
		t.Errorf("tail %q", got)
	}
}
