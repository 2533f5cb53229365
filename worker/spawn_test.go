package worker_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker"
)

// modes are the two ways to start a process.
var modes = []struct {
	name string
	shim bool
}{{"direct", false}, {"shim", true}}

func TestWhatAWorkerFinds(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			s := newSpawner(t)
			dir := t.TempDir()
			cmd := helper(t, "report", "", "two words", "--", "ä\n")
			// Odd variables pass as they are, and the shim's own settings do not.
			cmd.Env = []string{asEnv + "=report", "A=", "B=x=y:z,;", "ODD", "LISTEN_PID=", "WATCHDOG_PID=", "LISTEN_PIDX=", "GODEBUG=x=1", "GOGC=50"}
			cmd.Dir, cmd.ListenPID = dir, mode.shim
			r1, w1 := newPipe(t)
			defer r1.Close()
			cmd.Files = []int{w1, 2, w1}
			text, exit := output(t, s, cmd)
			if !exit.Success() {
				t.Fatal(exit)
			}
			var got facts
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%v in %q", err, text)
			}
			pid := ""
			if mode.shim {
				pid = strconv.Itoa(got.PID)
			}
			want := facts{
				PID: exit.PID, PGID: exit.PID, Args: []string{"", "two words", "--", "ä\n"},
				Env:   []string{asEnv + "=report", "A=", "B=x=y:z,;", "ODD", "LISTEN_PID=" + pid, "WATCHDOG_PID=" + pid, "LISTEN_PIDX=", "GODEBUG=x=1", "GOGC=50"},
				FDs:   []int{0, 1, 2, 3, 4, 5},
				Stdin: os.DevNull, Dir: dir,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			_ = syscall.Close(w1)
			if _, err := r1.Read(make([]byte, 1)); err != io.EOF { // nobody kept a copy
				t.Error(err)
			}
		})
	}
}

func TestExecErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, perm fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), perm); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain", "echo no first line\n", 0o755)
	closed := write("closed", "#!/bin/sh\n", 0o644)
	orphaned := write("orphaned", "#!/no/such/interpreter\n", 0o755)
	long := strings.Repeat("x", 200<<10) // MAX_ARG_STRLEN of execve(2) is 128 KiB
	tests := []struct {
		name  string
		cmd   worker.Command
		stage worker.Stage
		errno syscall.Errno
	}{
		{"no command", worker.Command{}, worker.StageLookup, syscall.ENOENT},
		{"not in PATH", worker.Command{Argv: []string{"no-such-program"}}, worker.StageLookup, syscall.ENOENT},
		{"in PATH but closed", worker.Command{Argv: []string{"closed"}, Env: []string{"PATH=/nowhere:" + dir}}, worker.StageLookup, syscall.EACCES},
		{"no such path", worker.Command{Argv: []string{"/no/such/program"}}, worker.StageLookup, syscall.ENOENT},
		{"no such path in dir", worker.Command{Argv: []string{"./program"}, Dir: dir}, worker.StageLookup, syscall.ENOENT},
		{"no interpreter in dir", worker.Command{Argv: []string{"./orphaned"}, Dir: dir}, worker.StageExec, syscall.ENOENT},
		{"closed", worker.Command{Argv: []string{closed}}, worker.StageExec, syscall.EACCES},
		{"a folder", worker.Command{Argv: []string{dir}}, worker.StageExec, syscall.EACCES},
		{"no format", worker.Command{Argv: []string{plain}}, worker.StageExec, syscall.ENOEXEC},
		{"no interpreter", worker.Command{Argv: []string{orphaned}}, worker.StageExec, syscall.ENOENT},
		{"no such dir", worker.Command{Argv: []string{"/bin/true"}, Dir: dir + "/none"}, worker.StageDir, syscall.ENOENT},
		{"dir is a file", worker.Command{Argv: []string{"/bin/true"}, Dir: plain}, worker.StageDir, syscall.ENOTDIR},
		{"too long", worker.Command{Argv: []string{"/bin/true", long}}, worker.StageExec, syscall.E2BIG},
		{"NUL", worker.Command{Argv: []string{"/bin/true", "a\x00b"}}, worker.StageExec, syscall.EINVAL},
	}
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			s := newSpawner(t)
			for _, tt := range tests {
				cmd := tt.cmd
				cmd.ListenPID = mode.shim
				cmd.Stdin, cmd.Stdout, cmd.Stderr = worker.DevNull, worker.DevNull, worker.DevNull
				cmd.OnExit = func(e worker.Exit) { t.Errorf("%s: exit %v of what never ran", tt.name, e) }
				r := startAndWait(s, cmd)
				var err *worker.ExecError
				if !errors.As(r.Err, &err) || err.Stage != tt.stage || !errors.Is(err, tt.errno) {
					t.Errorf("%s: got %v, want %q and %v", tt.name, r.Err, tt.stage, tt.errno)
				}
				if said := strings.Contains(fmt.Sprint(r.Err), "interpreter"); said != strings.HasPrefix(tt.name, "no interpreter") {
					t.Errorf("%s: explained as %v", tt.name, r.Err)
				}
			}
		})
	}
}

func TestShimThatDies(t *testing.T) {
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	defer poller.Close()
	s, err := worker.NewSpawner(worker.Options{Poller: poller, Shim: "/bin/false"})
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := runMain(t, s)
	r := startAndWait(s, worker.Command{Argv: []string{"/bin/true"}, ListenPID: true, Stdin: -1, Stdout: -1, Stderr: -1})
	var exec *worker.ExecError
	if !errors.As(r.Err, &exec) || exec.Stage != worker.StageShim {
		t.Errorf("got %v", r.Err)
	}
	close(stop)
	<-ended
	if r := startAndWait(s, worker.Command{Argv: []string{"/bin/true"}}); !errors.Is(r.Err, worker.ErrStopped) {
		t.Errorf("after the end: %v", r.Err)
	}
}

func TestLookupRelativeToDir(t *testing.T) {
	s := newSpawner(t)
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"bin/tool": "#!/bin/sh\necho bin $0\n", "tool": "#!/bin/sh\necho here $0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ path, program, want string }{
		{"bin:/bin", "tool", "bin bin/tool\n"},
		{":/bin", "tool", "here ./tool\n"},
		{"/nowhere:.", "tool", "here ./tool\n"},
		{"/nowhere", "bin/tool", "bin bin/tool\n"},
	}
	for _, mode := range modes {
		for _, tt := range tests {
			cmd := worker.Command{
				Argv: []string{tt.program}, Env: []string{"PATH=" + tt.path}, Dir: dir,
				Stdin: worker.DevNull, Stderr: 2, ListenPID: mode.shim,
			}
			if got, _ := output(t, s, cmd); got != tt.want {
				t.Errorf("%s: PATH=%s %s: got %q, want %q", mode.name, tt.path, tt.program, got, tt.want)
			}
		}
	}
}

// A supervisor that was started with ignored and blocked signals, and with a
// descriptor too many, hands on none of it.
func TestNothingInheritedByAccident(t *testing.T) {
	s := newSpawner(t)
	text, exit := output(t, s, helper(t, "supervise", plan{}.String(), "cat", "/proc/self/status"))
	if !exit.Success() {
		t.Fatal(exit)
	}
	for _, field := range []string{"SigBlk", "SigIgn", "SigPnd"} {
		if !strings.Contains(text, field+":\t0000000000000000\n") {
			t.Errorf("%s is not empty in\n%s", field, text)
		}
	}
	text, _ = output(t, s, helper(t, "supervise", plan{}.String(), "ls", "/proc/self/fd"))
	if want := []string{"0", "1", "2", "3"}; !slices.Equal(strings.Fields(text), want) { // 3 is the folder that ls reads
		t.Errorf("got descriptors %q", text)
	}
}

func TestOrphans(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		policy worker.OrphanPolicy
		want   string // after the supervisor's death and a byte on stdin
	}{
		{"kill", worker.OrphanKill, ""},
		{"term", worker.OrphanTerm, "term\n"},
		{"keep", worker.OrphanKeep, "alive\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSpawner(t)
			out, w := newPipe(t)
			var in [2]int
			if err := syscall.Pipe2(in[:], syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(in[1])
			cmd := helper(t, "supervise", plan{Orphans: tt.policy}.String(), exe)
			cmd.Stdin, cmd.Stdout = in[0], w
			supervisor := launch(t, s, cmd)
			_, _ = syscall.Close(w), syscall.Close(in[0])
			lines := bufio.NewReader(out)
			if line, err := lines.ReadString('\n'); line != "up\n" {
				t.Fatalf("got %q, %v", line, err)
			}
			if err := supervisor.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if exit := <-supervisor.exit; exit.Signal != syscall.SIGKILL {
				t.Fatal(exit)
			}
			if tt.policy == worker.OrphanKeep { // the others end by themselves
				if _, err := syscall.Write(in[1], []byte("?")); err != nil {
					t.Fatal(err)
				}
			}
			rest, err := io.ReadAll(lines) // to the end of the last process that has the pipe
			if err != nil || string(rest) != tt.want {
				t.Errorf("got %q, %v, want %q", rest, err, tt.want)
			}
		})
	}
}
