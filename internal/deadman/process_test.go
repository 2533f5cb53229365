package deadman

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 20 * time.Second

// deadman is a process under test, and the line to it.
type deadman struct {
	*Line
	t    testing.TB
	cmd  *exec.Cmd
	gone chan struct{}
}

// begun starts one: this test's own program, which is a deadman by its name.
func begun(t testing.TB) *deadman {
	t.Helper()
	line, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := unix.FcntlInt(uintptr(line.Theirs()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(theirs), "socket")
	defer file.Close()
	d := &deadman{Line: line, t: t, gone: make(chan struct{})}
	d.cmd = &exec.Cmd{Path: Program, Args: Argv("test"), Env: Environ(), Dir: "/", ExtraFiles: []*os.File{file}}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line.Started()
	go func() { // ends with the process, which Cleanup waits for
		_ = d.cmd.Wait()
		close(d.gone)
	}()
	t.Cleanup(func() {
		line.Close()
		_ = d.cmd.Process.Kill()
		<-d.gone
	})
	return d
}

func (d *deadman) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// await waits for what the process says.
func (d *deadman) await() Message {
	d.t.Helper()
	awaitInput(d.t, d.Ours())
	m, err := d.Read()
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// awaitInput waits for a message, or with a pidfd for a death.
func awaitInput(t testing.TB, fd int) {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if n == 1 {
			return
		}
		if !errors.Is(err, unix.EINTR) {
			t.Fatalf("nothing happens: %v", err)
		}
	}
}

func (d *deadman) ends() {
	d.t.Helper()
	select {
	case <-d.gone:
	case <-time.After(patience):
		d.t.Fatal("it does not end")
	}
}

// soon is a deadline.
func soon(after time.Duration) time.Duration { return time.Duration(now()) + after }

// worker is one that has a child in its process group.
type worker struct {
	t     testing.TB
	cmd   *exec.Cmd
	pidfd int
	lives io.ReadCloser // ends with the last of the group
}

func newWorker(t testing.TB, script string) *worker {
	t.Helper()
	w := &worker{t: t, pidfd: -1}
	w.cmd = exec.Command("sh", "-c", script)
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, PidFD: &w.pidfd}
	var err error
	if w.lives, err = w.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(w.lives).ReadString('\n'); err != nil || line != "up\n" {
		t.Fatalf("a worker says %q: %v", line, err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-w.pid(), unix.SIGKILL)
		_ = w.cmd.Wait()
		_ = unix.Close(w.pidfd)
	})
	return w
}

const (
	withChild = "sleep 1000 & echo up; wait"
	leaving   = "sleep 1000 & echo up" // and its child stays
)

func (w *worker) pid() int { return w.cmd.Process.Pid }

// watchedBy has a deadman watch it under its pid.
func (w *worker) watchedBy(d *deadman, sessions ...int64) {
	w.t.Helper()
	var of Sessions
	copy(of[:], sessions)
	d.must(d.Watch(uint64(w.pid()), w.pid(), of, w.pidfd, -1))
}

// dies waits for the end of all, and returns when that was.
func (w *worker) dies() time.Duration {
	w.t.Helper()
	timer := time.AfterFunc(patience, func() { w.lives.Close() })
	defer timer.Stop()
	if _, err := io.ReadAll(w.lives); err != nil {
		w.t.Fatalf("it lives: %v", err)
	}
	return time.Duration(now())
}

func (w *worker) isUp() {
	w.t.Helper()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.pidfd), Events: unix.POLLIN}}, 0); n != 0 || err != nil {
		w.t.Errorf("worker %d is dead", w.pid())
	}
}

// At the deadline those of a session die, with all that is theirs, and nobody else.
func TestDeadlines(t *testing.T) {
	d := begun(t)
	at := soon(400 * time.Millisecond)
	d.must(d.Deadline(1, soon(100*time.Millisecond)))
	d.must(d.Deadline(1, at)) // put off
	first, other := newWorker(t, withChild), newWorker(t, withChild)
	first.watchedBy(d, 1)
	d.must(d.Deadline(2, soon(time.Hour)))
	other.watchedBy(d, 2)
	if died := first.dies(); died < at || died > at+5*time.Second {
		t.Errorf("dead %v after the deadline", died-at)
	}
	if m := d.await(); m.Kind != Killed || m.PID != 1 || m.Sessions[0] != 1 {
		t.Errorf("it says %+v", m)
	}
	other.isUp()

	late := newWorker(t, withChild)
	late.watchedBy(d, 2, 1)
	late.dies()
	nobodys := newWorker(t, withChild)
	nobodys.watchedBy(d, 77)
	nobodys.dies()
	other.isUp()
}

// A leader that has left leaves its claims to those that stay.
func TestLeftovers(t *testing.T) {
	for _, supervised := range []bool{true, false} {
		t.Run(fmt.Sprint(supervised), func(t *testing.T) {
			d := begun(t)
			d.must(d.Deadline(1, soon(500*time.Millisecond)))
			w := newWorker(t, leaving)
			w.watchedBy(d, 1)
			if err := w.cmd.Process.Release(); err != nil { // it is waited for here
				t.Fatal(err)
			}
			if _, err := unix.Wait4(w.pid(), nil, 0, nil); err != nil {
				t.Fatal(err)
			}
			if !supervised {
				d.Close()
			}
			w.dies()
			if !supervised {
				d.ends()
			}
		})
	}
}

// It outlives its supervisor, and ends when it has done its work, or when there is nothing to do.
func TestOrphan(t *testing.T) {
	t.Run("to the deadline", func(t *testing.T) {
		d, at := begun(t), soon(300*time.Millisecond)
		d.must(d.Deadline(1, at))
		w := newWorker(t, withChild)
		w.watchedBy(d, 1)
		d.Close()
		if died := w.dies(); died < at {
			t.Errorf("dead %v before the deadline", at-died)
		}
		d.ends()
	})
	t.Run("until all have left", func(t *testing.T) {
		d := begun(t)
		d.must(d.Deadline(1, soon(time.Hour)))
		one, two := newWorker(t, withChild), newWorker(t, withChild)
		one.watchedBy(d, 1)
		two.watchedBy(d, 1)
		d.Close()
		for _, w := range []*worker{one, two} {
			_ = unix.Kill(-w.pid(), unix.SIGKILL)
			w.dies() // it is not reaped yet
		}
		d.ends()
	})
	t.Run("until the last of a group has left", func(t *testing.T) {
		d := begun(t)
		d.must(d.Deadline(1, soon(time.Hour)))
		w := newWorker(t, "sleep 1000 & sleep 1000 & echo up; wait")
		w.watchedBy(d, 1)
		d.Close()
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", w.pid(), w.pid()))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range append([]string{fmt.Sprint(w.pid())}, strings.Fields(string(children))...) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		w.dies()
		d.ends()
	})
	t.Run("with nobody", func(t *testing.T) {
		d := begun(t)
		w := newWorker(t, withChild)
		d.must(d.Deadline(1, soon(time.Hour)))
		w.watchedBy(d, 1)
		d.must(d.Forget(uint64(w.pid())))
		d.Close()
		d.ends()
		w.isUp()
	})
	t.Run("dismissed", func(t *testing.T) {
		d := begun(t)
		w := newWorker(t, withChild)
		d.must(d.Deadline(1, soon(time.Hour)))
		w.watchedBy(d, 1)
		d.Bye()
		d.ends()
		w.isUp()
	})
}

// Nothing but the socket ends it, and it has nothing that was not meant for it.
func TestItKeepsToItself(t *testing.T) {
	d := begun(t)
	d.must(d.Watch(1, 1<<22+1, Sessions{1}, -1, -1)) // nobody has this number
	d.must(d.Deadline(2, soon(time.Hour)))
	d.settled()
	pid := d.cmd.Process.Pid
	for sig := unix.Signal(1); sig < 65; sig++ {
		if sig != unix.SIGKILL && sig != unix.SIGSTOP {
			if err := unix.Kill(pid, sig); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.settled()
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || string(comm) != "brood-deadman\n" {
		t.Errorf("it is called %q, %v", comm, err)
	}
	if args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err != nil || strings.TrimRight(string(args), "\x00") != "brood: deadman of test" {
		t.Errorf("it is shown as %q, %v", args, err)
	}
}

// settled waits until it has read what was said: it kills a worker that has no time left.
func (d *deadman) settled() {
	d.t.Helper()
	w := newWorker(d.t, withChild)
	w.watchedBy(d, 1)
	w.dies()
	if m := d.await(); m.Kind != Killed {
		d.t.Errorf("it says %+v", m)
	}
}

// A descriptor that does not come through is told, and the number has to do.
func TestTooManyDescriptors(t *testing.T) {
	d := begun(t)
	d.must(d.Deadline(1, soon(time.Hour)))
	d.settledBy(2)
	if err := unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 6, Max: 6}, nil); err != nil {
		t.Fatal(err)
	}
	w := newWorker(t, withChild)
	w.watchedBy(d, 1)
	if m := d.await(); m.Kind != Blind || m.Token != uint64(w.pid()) {
		t.Errorf("it says %+v", m)
	}
	d.must(d.Deadline(1, soon(time.Hour)))
	d.must(d.Watch(uint64(w.pid()), w.pid(), Sessions{3}, -1, -1))
	w.dies()
}

func (d *deadman) settledBy(session int64) {
	d.t.Helper()
	w := newWorker(d.t, withChild)
	w.watchedBy(d, session)
	w.dies()
	d.await()
	d.must(d.Forget(uint64(w.pid())))
}
