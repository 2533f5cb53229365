package worker_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/worker"
)

// newDeadman starts one by a spawner.
func newDeadman(t *testing.T, s *worker.Spawner) (*deadman.Line, *running) {
	t.Helper()
	line, err := deadman.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(line.Close)
	p := launch(t, s, worker.Command{
		Path: deadman.Program, Argv: deadman.Argv("test"), Env: deadman.Environ(), Dir: "/", Files: []int{line.Theirs()}, Session: true, Orphans: worker.OrphanKeep,
		Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: worker.DevNull,
	})
	line.Started()
	return line, p
}

// mortal is a command with claims of session 1 that end at a time.
func mortal(t *testing.T, line *deadman.Line, until time.Duration) worker.Command {
	t.Helper()
	socket, err := line.Lend()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	cmd := helper(t, "sleep")
	cmd.Argv = []string{"/bin/sleep", "1000"}
	cmd.Deadman = &worker.Deadman{Socket: socket, Token: 7, Sessions: [2]int64{1}, Until: until}
	return cmd
}

func boottime(after time.Duration) time.Duration { return time.Duration(worker.BootTime()) + after }

// A worker is watched from before its program runs, although nobody has said anything about it.
func TestWorkerIsWatched(t *testing.T) {
	s := newSpawner(t)
	line, dead := newDeadman(t, s)
	at := boottime(400 * time.Millisecond)
	if err := line.Deadline(1, at); err != nil {
		t.Fatal(err)
	}
	p := launch(t, s, mortal(t, line, at))
	if e := <-p.exit; e.Signal != syscall.SIGKILL || boottime(0) < at {
		t.Errorf("it ended by %v, %v before its time", e, at-boottime(0))
	}
	if sid, err := unix.Getsid(dead.PID()); err != nil || sid != dead.PID() {
		t.Errorf("the deadman is in session %d: %v", sid, err)
	}

	late, ended := mortal(t, line, boottime(time.Hour)), make(chan worker.Exit, 1) // as far as its supervisor knows
	late.OnExit = func(e worker.Exit) { ended <- e }
	r := startAndWait(s, late)
	if e, ok := errors.AsType[*worker.ExecError](r.Err); ok && e.Stage == worker.StageShim {
		return // it was killed before its program ran
	} else if r.Err != nil {
		t.Fatal(r.Err)
	}
	if e := <-ended; e.Signal != syscall.SIGKILL {
		t.Errorf("a worker after the deadline: %v", e)
	}
}

// A program is not run whose time is over, or of which nobody knows.
func TestWorkerThatNobodyWatches(t *testing.T) {
	s := newSpawner(t)
	line, dead := newDeadman(t, s)
	if err := line.Deadline(1, boottime(time.Hour)); err != nil {
		t.Fatal(err)
	}
	refused := func(cmd worker.Command, reasons ...error) {
		t.Helper()
		err := startAndWait(s, cmd).Err
		e, ok := errors.AsType[*worker.ExecError](err)
		if !ok || e.Stage != worker.StageDeadman || !slices.ContainsFunc(reasons, func(why error) bool { return errors.Is(err, why) }) {
			t.Errorf("it is refused with %v", err)
		}
	}
	refused(mortal(t, line, boottime(0)), syscall.ETIME)
	if err := dead.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-dead.gone
	refused(mortal(t, line, boottime(time.Hour)), syscall.EPIPE, syscall.ECONNRESET)
}
