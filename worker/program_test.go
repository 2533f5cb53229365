package worker_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/worker"
)

// keep installs a copy of the shell as dir/bin/tool and keeps it.
func keep(t *testing.T) (*worker.Program, worker.Command) {
	t.Helper()
	dir := openDir(t)
	if err := os.Mkdir(dir+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := shell("echo kept $0 $(id -u); readlink /proc/$$/exe; cat /proc/$$/comm; ls /proc/$$/fd")
	copyFile(t, cmd.Argv[0], dir+"/bin/tool")
	cmd.Argv[0], cmd.Dir = "tool", dir
	cmd.Env = []string{"PATH=bin:/usr/bin:/bin"}
	p, err := worker.Keep(cmd.Argv, cmd.Env, cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	cmd.Program = p
	return p, cmd
}

// replacements are what happens to the file of a running service.
var replacements = []struct {
	name    string
	replace func(bin string) error
	changed bool
}{
	{"untouched", func(string) error { return nil }, false},
	{"linked", func(bin string) error { return os.Link(bin+"/tool", bin+"/backup") }, false},
	{"renamed over", func(bin string) error {
		return errors.Join(os.WriteFile(bin+"/new", []byte("#!/bin/echo new"), 0o755), os.Rename(bin+"/new", bin+"/tool"))
	}, true},
	{"made anew", func(bin string) error {
		return errors.Join(os.Remove(bin+"/tool"), os.WriteFile(bin+"/tool", []byte("#!/bin/echo new"), 0o755))
	}, true},
	{"not executable", func(bin string) error {
		return errors.Join(os.Remove(bin+"/tool"), os.WriteFile(bin+"/tool", nil, 0o644))
	}, true},
	{"linked elsewhere", func(bin string) error {
		return errors.Join(os.Rename(bin+"/tool", bin+"/old"), os.Symlink("/bin/false", bin+"/tool"))
	}, true},
	{"removed", func(bin string) error { return os.Remove(bin + "/tool") }, true},
	{"removed with its folder", os.RemoveAll, true},
}

func TestKeptProgram(t *testing.T) {
	for _, tt := range replacements {
		t.Run(tt.name, func(t *testing.T) {
			p, cmd := keep(t)
			if err := tt.replace(filepath.Join(cmd.Dir, "bin")); err != nil {
				t.Fatal(err)
			}
			if changed, err := p.Changed(); err != nil || changed != tt.changed {
				t.Errorf("changed: %v, %v", changed, err)
			}
			s := newSpawner(t)
			for _, mode := range modes {
				cmd.ListenPID = mode.shim
				checkKept(t, s, cmd, os.Geteuid())
			}
			if os.Geteuid() == 0 {
				cmd.As = stranger()
				checkKept(t, s, cmd, 4711)
			}
		})
	}
}

func checkKept(t *testing.T, s *worker.Spawner, cmd worker.Command, uid int) {
	t.Helper()
	// The shell's $0 is the name after the script, or its argv[0].
	text, exit := output(t, s, cmd)
	lines := strings.Split(text, "\n")
	if !exit.Success() || len(lines) < 3 || lines[0] != "kept tool "+strconv.Itoa(uid) {
		t.Fatalf("%v: got %q", exit, text)
	}
	bin := filepath.Join(cmd.Dir, "bin")
	if !strings.HasPrefix(lines[1], bin+"/tool") && lines[1] != bin+"/old" {
		t.Errorf("it believes to be %s", lines[1])
	}
	if lines[2] != "tool" && lines[2] != "old" && !oldComm(lines[2]) {
		t.Errorf("it is called %q", lines[2])
	}
	if got := strings.Join(lines[3:], " "); got != "0 1 2 " {
		t.Errorf("it has descriptors %s", got)
	}
}

// oldComm is the number of a descriptor: so kernels before 6.14 name what is executed by one.
func oldComm(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

func TestKeepWhatCannotBeKept(t *testing.T) {
	s := newSpawner(t)
	dir := openDir(t)
	script := dir + "/script"
	write := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(dir+"/new", []byte(text), 0o755), os.Rename(dir+"/new", script)); err != nil {
			t.Fatal(err)
		}
	}
	write("#!/bin/sh\necho old\n")
	cmd := worker.Command{Argv: []string{script}, Stdin: worker.DevNull, Stderr: 2}
	p, err := worker.Keep(cmd.Argv, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	write("#!/bin/sh\necho new\n")
	if changed, err := p.Changed(); err != nil || !changed {
		t.Errorf("changed: %v, %v", changed, err)
	}
	cmd.Program = p
	if got, _ := output(t, s, cmd); got != "new\n" {
		t.Errorf("got %q", got)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := worker.Keep([]string{"no-such-program"}, nil, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := worker.Keep([]string{dir + "/none"}, nil, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// A program without a path any more has nothing to fall back on once it is closed.
func TestClosedProgram(t *testing.T) {
	p, cmd := keep(t)
	if err := errors.Join(os.Remove(cmd.Dir+"/bin/tool"), p.Close()); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = worker.DevNull
	s := newSpawner(t)
	var execErr *worker.ExecError
	if r := startAndWait(s, cmd); !errors.As(r.Err, &execErr) || execErr.Stage != worker.StageLookup {
		t.Errorf("got %v", r.Err)
	}
}
