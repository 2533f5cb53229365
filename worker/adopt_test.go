package worker_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// idleSpawner is one whose Main does not run yet.
func idleSpawner(t *testing.T) (s *worker.Spawner, run func()) {
	t.Helper()
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	if s, err = worker.NewSpawner(worker.Options{Poller: poller}); err != nil {
		t.Fatal(err)
	}
	var stop, ended chan struct{}
	t.Cleanup(func() {
		if stop == nil {
			stop, ended = runMain(t, s)
		}
		close(stop)
		<-ended
		_ = poller.Close()
	})
	return s, func() { stop, ended = runMain(t, s) }
}

// fork starts a child that no spawner knows.
func fork(t *testing.T, script string) int {
	t.Helper()
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{
		Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// Who ends before, while or after he is adopted is told like any other, and not before Main runs.
func TestAdopt(t *testing.T) {
	s, run := idleSpawner(t)
	began := time.Now().Add(-time.Minute)
	news := make(chan worker.Exit, 2)
	gone := make(chan struct{}, 2)
	a := worker.Adopted{OnExit: func(e worker.Exit) { news <- e }, OnGone: func() { gone <- struct{}{} }}
	dead, alive := fork(t, "exit 3"), fork(t, "sleep 1000")
	if err := unix.Waitid(unix.P_PID, dead, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	var all [2]*worker.Process
	for i, pid := range []int{dead, alive} {
		h := worker.HandedProcess{PID: pid, Began: bootTimeOf(t, began)}
		var err error
		if all[i], err = s.Adopt(h, a); err != nil {
			t.Fatal(err)
		}
		if at := all[i].Started(); at.Sub(began).Abs() > time.Second || time.Since(at) < time.Minute {
			t.Errorf("began at %v, and not %v", at, began)
		}
		if again := all[i].Hand(); again.PID != pid || again.Reaped || again.Grouped || math.Abs(float64(again.Began-h.Began)) > 1e9 {
			t.Errorf("handed %+v, then %+v", h, again)
		}
		if _, err := s.Adopt(h, a); err == nil {
			t.Error("adopted twice")
		}
	}
	if err := all[1].SignalGroup(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if len(news) > 0 {
		t.Error("told before Main runs")
	}
	run()
	codes := []int{(<-news).ShellCode(), (<-news).ShellCode()}
	slices.Sort(codes)
	if !slices.Equal(codes, []int{3, 143}) {
		t.Errorf("ended with %d", codes)
	}
	<-gone
	<-gone
}

// bootTimeOf is a moment as HandedProcess has it.
func bootTimeOf(t *testing.T, at time.Time) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() - int64(time.Since(at))
}

// Who is reaped, and left somebody who is gone by now, is gone; also when there is no control group any more to ask.
func TestAdoptWhatIsGone(t *testing.T) {
	s, run := idleSpawner(t)
	gone := make(chan struct{}, 2)
	for _, h := range []worker.HandedProcess{{PID: 1 << 22, Reaped: true}, {PID: os.Getpid(), Reaped: true, Grouped: true}} {
		p, err := s.Adopt(h, worker.Adopted{OnExit: func(worker.Exit) { t.Error("told twice") }, OnGone: func() { gone <- struct{}{} }})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("signalled: %v", err)
		}
		if h.Grouped { // its number may be anybody's, and is ours here
			if err := p.SignalGroup(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("signalled: %v", err)
			}
		}
	}
	run()
	<-gone
	<-gone
}

func TestAdoptRefuses(t *testing.T) {
	s, _ := idleSpawner(t)
	for _, pid := range []int{-1, 0, 1, os.Getpid(), os.Getppid(), 1 << 22} {
		if _, err := s.Adopt(worker.HandedProcess{PID: pid}, worker.Adopted{}); err == nil {
			t.Errorf("adopted %d", pid)
		}
	}
	s = newSpawner(t)
	launch(t, s, helper(t, "exit", "0")) // so Main runs
	pid := fork(t, "exit 0")
	if _, err := s.Adopt(worker.HandedProcess{PID: pid}, worker.Adopted{}); err == nil {
		t.Error("adopted too late")
	}
}

func TestAdoptNotify(t *testing.T) {
	p, news := newPoller(t), make(chan string, 4)
	on := func(m handshake.Message, _ int, err error) { news <- m.Status }
	n, err := worker.OpenNotify(p, on)
	if err != nil {
		t.Fatal(err)
	}
	n.Trust(77)
	h := n.Hand()
	if err := p.Close(); err != nil { // as an execution does
		t.Fatal(err)
	}
	send(t, n.Address(), "STATUS=waiting")
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = syscall.Close(fds[0]), syscall.Close(fds[1]) }()
	next := newPoller(t)
	for what, bad := range map[string]worker.HandedNotify{
		"a pipe":          {FD: fds[0], Address: h.Address},
		"nothing":         {FD: 1 << 20, Address: h.Address},
		"another address": {FD: h.FD, Address: h.Address + "x"},
	} {
		if _, err := worker.AdoptNotify(next, bad, on); err == nil {
			t.Errorf("adopted %s", what)
		}
	}
	if again, err := worker.AdoptNotify(next, h, on); err != nil {
		t.Error(err)
	} else if again.Address() != h.Address || again.Hand() != h {
		t.Errorf("handed %+v, then %+v", h, again.Hand())
	} else {
		defer again.Close()
	}
	send(t, h.Address, "STATUS=new")
	if first, second := <-news, <-news; first != "waiting" || second != "new" {
		t.Errorf("heard %q and %q", first, second)
	}
}

func newPoller(t *testing.T) *poll.Poller {
	t.Helper()
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestAdoptProgram(t *testing.T) {
	path := copyFile(t, "/bin/sh", filepath.Join(t.TempDir(), "sh"))
	kept, err := worker.Keep([]string{path}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	h := kept.Hand()
	script := copyFile(t, "/dev/null", path+".script")
	other, err := worker.Keep([]string{"/bin/sh"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for what, fd := range map[string]int{"another program": other.Hand().FD, "one that is open to be read": int(file.Fd()), "nothing": 1 << 20} {
		bad := h
		bad.FD = fd
		if _, err := worker.AdoptProgram(bad); err == nil {
			t.Errorf("adopted %s", what)
		}
	}
	again, err := worker.AdoptProgram(h)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if changed, err := again.Changed(); changed || err != nil || again.Hand() != h {
		t.Errorf("it has changed: %t, %v", changed, err)
	}
	if err := os.Rename(script, path); err != nil {
		t.Fatal(err)
	}
	if changed, err := again.Changed(); !changed || err != nil {
		t.Errorf("it has not changed: %t, %v", changed, err)
	}
}

// The directories of before stay as long as somebody has them, whoever clears away meanwhile; what was being removed is.
func TestAdoptTmpDirs(t *testing.T) {
	s := newSpawner(t)
	before, parent := newTmpDirs(t)
	used, unused, free := before.Next("used"), before.Next("unused"), before.Next("free")
	for _, dir := range []*worker.TmpDir{used, unused, free} {
		if err := has(t, s, dir); err != nil {
			t.Fatal(err)
		}
	}
	h := before.Hand()
	h.Cleared = false
	h.Leaving = append(h.Leaving, free.Hand()) // as if it had begun
	// Both programs live here, so the next one has a copy of the descriptor.
	for _, fd := range h.Descriptors() {
		var err error
		if *fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
	}
	bad := h
	bad.Bases = slices.Clone(h.Bases)
	bad.Bases[0].Path = parent
	bad.Bases = append(slices.Clone(h.Bases), bad.Bases[0])
	if _, err := worker.AdoptTmpDirs("web", bad, nil); err == nil {
		t.Error("adopted what is not locked")
	}
	if _, err := unix.FcntlInt(uintptr(h.Bases[0].Lock), unix.F_GETFD, 0); err != nil {
		t.Errorf("the lock cannot be given back: %v", err)
	}
	next, err := worker.AdoptTmpDirs("web", h, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/"} {
		if _, err := next.Adopt(worker.HandedTmpDir{Base: h.Bases[0].Path, Name: name}); err == nil {
			t.Errorf("adopted %q", name)
		}
	}
	dir, err := next.Adopt(used.Hand())
	if err != nil {
		t.Fatal(err)
	}
	next.Settle()
	newcomer := next.Next("new")
	if err := has(t, s, newcomer); err != nil {
		t.Fatal(err)
	}
	others := tmpDirs(t) // of another supervisor of that name, which clears away what nobody has
	theirs := others.Next("theirs")
	if err := has(t, s, theirs); err != nil {
		t.Fatal(err)
	}
	theirs.Remove()
	others.Close(context.Background())
	if dir.Path() != used.Path() || !exists(dir.Path()) || filepath.Dir(newcomer.Path()) != filepath.Dir(dir.Path()) {
		t.Errorf("adopted %s as %s; the next is %s", used.Path(), dir.Path(), newcomer.Path())
	}
	dir.Remove()
	newcomer.Remove()
	next.Close(context.Background())
	if exists(used.Path()) || exists(newcomer.Path()) || exists(free.Path()) {
		t.Error("something stays")
	}
	unused.Remove()
	before.Close(context.Background())
	if left, err := os.ReadDir(parent); len(left) > 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}
