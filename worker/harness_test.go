package worker_test

import (
	"bufio"
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker"
)

// asEnv turns the test binary into one of the programs of helpers_test.go.
const asEnv = "WORKER_TEST_AS"

func TestMain(m *testing.M) {
	if name := os.Getenv(asEnv); name != "" {
		os.Exit(helpers()[name](os.Args[1:]))
	}
	// As a supervisor does, and because whoever runs the tests may leak descriptors.
	if err := errors.Join(worker.SealInherited(), worker.BecomeSubreaper()); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// newSpawner runs a spawner for one test. No test may use os/exec beside it: the
// reaper takes every child's status.
func newSpawner(t testing.TB) *worker.Spawner {
	t.Helper()
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := worker.NewSpawner(worker.Options{Poller: poller})
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := runMain(t, s)
	t.Cleanup(func() {
		close(stop)
		<-ended
		if err := poller.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func runMain(t testing.TB, s *worker.Spawner) (stop, ended chan struct{}) {
	stop, ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		// Never unlocked, so that the thread ends with the goroutine: parent-death
		// signals then take what a failed test left behind.
		runtime.LockOSThread()
		if err := s.Main(stop); err != nil {
			t.Error(err)
		}
	}()
	return stop, ended
}

// helper is a command that runs a helper of this test binary.
func helper(t testing.TB, name string, args ...string) worker.Command {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return worker.Command{
		Argv:   append([]string{exe}, args...),
		Env:    worker.CleanEnviron(as(name)),
		Stdin:  worker.DevNull,
		Stdout: worker.DevNull,
		Stderr: 2,
	}
}

// running is a started process and its news.
type running struct {
	*worker.Process
	exit chan worker.Exit
	gone chan struct{}
}

// launch starts cmd and fails the test when it does not run. Its group is killed
// and waited for at the end of the test.
func launch(t testing.TB, s *worker.Spawner, cmd worker.Command) *running {
	t.Helper()
	r := &running{exit: make(chan worker.Exit, 1), gone: make(chan struct{})}
	cmd.OnExit = func(e worker.Exit) { r.exit <- e }
	cmd.OnGone = func() { close(r.gone) }
	result := startAndWait(s, cmd)
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	r.Process = result.Process
	t.Cleanup(func() {
		_ = r.SignalGroup(syscall.SIGKILL)
		<-r.gone
	})
	return r
}

func startAndWait(s *worker.Spawner, cmd worker.Command) worker.StartResult {
	results := make(chan worker.StartResult, 1)
	s.Start(cmd, func(r worker.StartResult) { results <- r })
	return <-results
}

// newPipe gives a pipe of raw descriptors; the test's end is an *os.File.
func newPipe(t testing.TB) (r *os.File, w int) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r = os.NewFile(uintptr(fds[0]), "pipe")
	t.Cleanup(func() { _ = r.Close() })
	return r, fds[1]
}

// launchTalking launches cmd with a standard input that stays open until the test ends, and reads what it says.
func launchTalking(t testing.TB, s *worker.Spawner, cmd worker.Command) (*running, *bufio.Reader) {
	t.Helper()
	out, w := newPipe(t)
	var in [2]int
	if err := syscall.Pipe2(in[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(in[1]) })
	cmd.Stdin, cmd.Stdout = in[0], w
	p := launch(t, s, cmd)
	_, _ = syscall.Close(w), syscall.Close(in[0])
	return p, bufio.NewReader(out)
}

// output runs cmd to its end and returns what it wrote to standard output.
func output(t testing.TB, s *worker.Spawner, cmd worker.Command) (string, worker.Exit) {
	t.Helper()
	r, w := newPipe(t)
	cmd.Stdout = w
	p := launch(t, s, cmd)
	_ = syscall.Close(w)
	var b strings.Builder
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String(), <-p.exit
}
