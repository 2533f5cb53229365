package worker_test

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/broodctl/brood/worker"
)

func TestExits(t *testing.T) {
	s := newSpawner(t)
	for _, code := range []int{0, 1, 3, 143, 255} {
		p := launch(t, s, helper(t, "exit", strconv.Itoa(code)))
		if e := <-p.exit; e.Code != code || e.Signal != 0 || e.PID != p.PID() || e.Remains || e.MaxRSS < 1<<20 {
			t.Errorf("code %d: got %+v", code, e)
		}
		<-p.gone
	}
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGHUP, syscall.SIGTERM} {
		p := launch(t, s, helper(t, "die", strconv.Itoa(int(sig))))
		if e := <-p.exit; e.Signal != sig || e.Code != worker.CodeUnknown {
			t.Errorf("signal %v: got %+v", sig, e)
		}
	}
}

// Hundreds of starts from many goroutines, each leaving an orphan in a session of
// its own: every status goes to its own process, and the orphans are reaped.
func TestManyAtOnce(t *testing.T) {
	s := newSpawner(t)
	const lanes, each = 6, 50
	var all sync.WaitGroup
	for lane := range lanes {
		all.Go(func() {
			for i := range each {
				want := (lane*each + i) % 256
				exits := make(chan worker.Exit, 1)
				gone := make(chan struct{})
				r := startAndWait(s, worker.Command{
					Argv:  []string{"/bin/sh", "-c", "setsid true & exit " + strconv.Itoa(want)},
					Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: 2,
					ListenPID: i%5 == 0,
					OnExit:    func(e worker.Exit) { exits <- e },
					OnGone:    func() { close(gone) },
				})
				if r.Err != nil {
					t.Error(r.Err)
					continue
				}
				if e := <-exits; e.Code != want || e.PID != r.Process.PID() {
					t.Errorf("got %+v, want code %d of %d", e, want, r.Process.PID())
				}
				<-gone
			}
		})
	}
	all.Wait()
	launch(t, s, helper(t, "exit", "0")) // ends after the last orphan has been looked at
}

func TestOrderOfNews(t *testing.T) {
	s := newSpawner(t)
	for _, mode := range modes {
		for range 50 { // /bin/true may be dead before the status pipe has been read
			var mu sync.Mutex
			var got []string
			note := func(what string) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, what)
			}
			end := make(chan struct{})
			s.Start(worker.Command{
				Argv: []string{"/bin/true"}, Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: 2, ListenPID: mode.shim,
				OnExit: func(worker.Exit) { note("exit") },
				OnGone: func() { note("gone"); close(end) },
			}, func(r worker.StartResult) {
				if r.Err != nil {
					t.Error(r.Err)
				}
				note("done")
			})
			<-end
			if len(got) != 3 || got[0] != "done" || got[1] != "exit" || got[2] != "gone" {
				t.Fatalf("%s: got %v", mode.name, got)
			}
		}
	}
}

func TestGroupThatRemains(t *testing.T) {
	s := newSpawner(t)
	p, lines := launchTalking(t, s, helper(t, "leave"))

	if e := <-p.exit; e.Code != 7 || !e.Remains {
		t.Fatalf("got %+v", e)
	}
	if line, _ := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("leader signalled after its end: %v", err)
	}
	tree, err := worker.Tree(p.PID())
	if err != nil || len(tree) != 1 || tree[0] == p.PID() {
		t.Errorf("tree of what remains: %v, %v", tree, err)
	}
	select {
	case <-p.gone:
		t.Error("gone while a member lives")
	default:
	}
	if err := p.SignalGroup(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if line, _ := lines.ReadString('\n'); line != "term\n" {
		t.Errorf("got %q", line)
	}
	<-p.gone
	if err := p.SignalGroup(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("group signalled after its end: %v", err)
	}
}

// A stop of a whole group leaves nothing behind, and says so.
func TestGroupKilledTogether(t *testing.T) {
	s := newSpawner(t)
	out, w := newPipe(t)
	p := launch(t, s, worker.Command{
		Argv:  []string{"/bin/sh", "-c", "sleep 1000 & echo up; wait"},
		Stdin: worker.DevNull, Stdout: w, Stderr: 2,
	})
	_ = syscall.Close(w)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	if err := p.SignalGroup(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if e := <-p.exit; e.Signal != syscall.SIGKILL {
		t.Errorf("got %+v", e)
	}
	<-p.gone
}

func TestSignal(t *testing.T) {
	s := newSpawner(t)
	p, lines := launchTalking(t, s, helper(t, "echo"))
	if line, _ := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line, _ := lines.ReadString('\n'); line != "term\n" {
		t.Errorf("got %q", line)
	}
	if e := <-p.exit; !e.Success() {
		t.Errorf("got %v", e)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v", err)
	}
}

// A classic daemon leaves the group without ending, of which nobody is told.
func TestGroupLeftByADaemon(t *testing.T) {
	s := newSpawner(t)
	out, w := newPipe(t)
	var in [2]int
	if err := syscall.Pipe2(in[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	p := launch(t, s, worker.Command{
		// The daemon leaves only when told, long after its leader has ended.
		Argv:  []string{"/bin/sh", "-c", "(head -n 1 <&3; exec setsid cat <&3) & exit 0"},
		Files: []int{in[0]}, Stdin: worker.DevNull, Stdout: w, Stderr: 2,
	})
	_, _ = syscall.Close(w), syscall.Close(in[0])
	if e := <-p.exit; !e.Success() || !e.Remains {
		t.Errorf("got %+v", e)
	}
	if _, err := syscall.Write(in[1], []byte("leave\n")); err != nil {
		t.Fatal(err)
	}
	<-p.gone
	lines := bufio.NewReader(out)
	if line, _ := lines.ReadString('\n'); line != "leave\n" {
		t.Errorf("got %q", line)
	}
	if _, err := syscall.Write(in[1], []byte("alive\n")); err != nil {
		t.Fatal(err)
	}
	if line, _ := lines.ReadString('\n'); line != "alive\n" {
		t.Errorf("the daemon said %q", line)
	}
	_ = syscall.Close(in[1]) // ends it
	if _, err := lines.ReadByte(); err == nil {
		t.Error("it speaks on")
	}
}
