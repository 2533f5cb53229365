package worker_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
)

// nobody is more than any kernel's pid_max.
const nobody = 1 << 30

// A parent with 64 MB that two children share, 5 further files, and some CPU time
// of its own and of a child that it has waited for.
const sharing = `
import os, sys, time
block = bytearray(os.urandom(64 << 20))
if os.fork() == 0:
  while time.process_time() < 0.2: pass
  os._exit(0)
os.wait()
for _ in range(2):
  if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
files = [open('/dev/null') for _ in range(5)]
while time.process_time() < 0.2: pass
print('up', flush=True)
sys.stdin.read()
`

func TestUsage(t *testing.T) {
	requireProgram(t, python3)
	s := newSpawner(t)
	p, out := launchTalking(t, s, worker.Command{Argv: []string{python3, "-c", sharing}, Env: worker.CleanEnviron(os.Environ()), Stderr: 2})
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	use, err := worker.Usage(p.PID())
	if err != nil {
		t.Fatal(err)
	}
	if mb := use.Memory >> 20; mb < 64 || mb > 110 || use.Resident {
		t.Errorf("%d MB: that is not the block, counted once", mb)
	}
	if use.CPU < 390*time.Millisecond || use.CPU > 5*time.Second { // a tick each is lost
		t.Errorf("%v of CPU", use.CPU)
	}
	if cpu, err := worker.CPUTime(p.PID()); err != nil || cpu < use.CPU || cpu > use.CPU+time.Second {
		t.Errorf("%v of CPU alone, %v", cpu, err)
	}
	if use.Processes != 3 || use.Files < 5+3*3 {
		t.Errorf("got %+v", use)
	}
}

// Who may not see what another user's processes share is told so.
func TestUsageOfAnotherUser(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	cmd := openHelper(t, "usage")
	cmd.As = stranger()
	text, exit := output(t, s, cmd)
	var use worker.Use
	if err := json.Unmarshal([]byte(text), &use); err != nil {
		t.Fatalf("%q, %v: %v", text, exit, err)
	}
	if !use.Resident || use.Memory == 0 || use.Processes < 2 || use.CPU == 0 {
		t.Errorf("got %+v", use)
	}
}

// What a worker has started counts, as long as its parents live.
func TestCPUTimeOfDescendants(t *testing.T) {
	const burn = `sh -c 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; echo done; exec cat'`
	const much = 30 * time.Millisecond // less than it takes on a fast machine, and more than a shell needs to begin
	for _, tt := range []struct {
		name, script string
		counts       bool
	}{
		{"a child", burn + ` & read x`, true},
		{"a child's child", `(` + burn + `; true) & read x`, true},
		{"a child that has ended", burn + ` </dev/null >/dev/null; echo done; read x`, true},
		{"one whose parent has ended", `(` + burn + ` &); read x`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, out := launchTalking(t, newSpawner(t), shell(tt.script))
			if _, err := out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if cpu, err := worker.CPUTime(p.PID()); err != nil || (cpu >= much) != tt.counts {
				t.Errorf("got %v, %v", cpu, err)
			}
		})
	}
}

func TestStopped(t *testing.T) {
	s := newSpawner(t)
	cmd := helper(t, "echo")
	path := filepath.Join(t.TempDir(), "x) T (y") // its name, which stat shows, looks like a state
	if err := os.Symlink(cmd.Argv[0], path); err != nil {
		t.Fatal(err)
	}
	cmd.Argv[0] = path
	p, out := launchTalking(t, s, cmd)
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if stopped, err := worker.Stopped(p.PID()); stopped || err != nil {
		t.Errorf("runs, and is stopped: %t, %v", stopped, err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := p.Signal(sig); err != nil {
			t.Fatal(err)
		}
		until(t, p, func() (bool, error) {
			stopped, err := worker.Stopped(p.PID())
			return stopped == (sig == syscall.SIGSTOP), err
		})
	}
}

func TestNobodyUsesNothing(t *testing.T) {
	if use, err := worker.Usage(nobody); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %+v, %v", use, err)
	}
	if cpu, err := worker.CPUTime(nobody); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v, %v", cpu, err)
	}
	if _, err := worker.Stopped(nobody); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v", err)
	}
}

// What a look costs whoever asks for it, by the memory of the process.
func BenchmarkUsage(b *testing.B) {
	for _, mb := range []int{16, 256} {
		b.Run(strconv.Itoa(mb)+"MB", func(b *testing.B) {
			code := "import os, sys; b = bytearray(" + strconv.Itoa(mb) + " << 20); b[::4096] = b'x' * len(b[::4096]); print(flush=True); sys.stdin.read()"
			p, out := launchTalking(b, newSpawner(b), worker.Command{Argv: []string{python3, "-c", code}, Env: worker.CleanEnviron(os.Environ()), Stderr: 2})
			if _, err := out.ReadString('\n'); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := worker.Usage(p.PID()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The CPU alone, as asked every second of a worker with a single thread.
func BenchmarkCPUTime(b *testing.B) {
	cmd := worker.Command{Argv: []string{python3, "-c", "import sys; print(flush=True); sys.stdin.read()"}, Env: worker.CleanEnviron(os.Environ()), Stderr: 2}
	p, out := launchTalking(b, newSpawner(b), cmd)
	if _, err := out.ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := worker.CPUTime(p.PID()); err != nil {
			b.Fatal(err)
		}
	}
}
