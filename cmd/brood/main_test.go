package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/broodctl/brood/internal/config"
)

// The scripts run the real main: the test binary stands in for bin/brood, and for the exec shim.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"brood": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			programs, err := filepath.Abs("testdata/guests")
			if err != nil {
				return err
			}
			scripts, err := filepath.Abs("../../contrib/completions")
			if err != nil {
				return err
			}
			env.Setenv("SCRIPTS", scripts)
			env.Setenv("PATH", programs+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // or the race detector lets every command take a second longer
			env.Setenv("XDG_RUNTIME_DIR", filepath.Join(env.WorkDir, "run"))
			// Others may run on this machine. A script that has several of its own says env BROOD_CONTROL=.
			env.Setenv("BROOD_CONTROL", filepath.Join(env.WorkDir, "c"))
			env.Setenv("RUNTIME_DIRECTORY", filepath.Join(env.WorkDir, "run", "brood"))
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(env.WorkDir, "n"), Net: "unixgram"})
			if err != nil {
				return err
			}
			env.Setenv("NOTIFY_SOCKET", filepath.Join(env.WorkDir, "n"))
			env.Values["notify"] = l
			env.Defer(func() { _ = l.Close() })
			return nil
		},
		Condition: func(word string) (bool, error) {
			if word != "root" {
				return false, fmt.Errorf("no such condition: %q", word)
			}
			return os.Geteuid() == 0 || os.Getenv("CI") == "true", nil // there a missing right is a failure
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"told":   told,
			"signal": sendSignal,
			"pidof":  pidOf,
			"exits":  exits,
			"seen":   seen,
			"steady": steady,
		},
	})
}

// told waits until brood has told its service manager something that matches: told REGEXP.
func told(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: told REGEXP")
	}
	want := regexp.MustCompile(args[0])
	l := ts.Value("notify").(*net.UnixConn)
	ts.Check(l.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 4096)
	for heard := ""; ; {
		n, err := l.Read(buf)
		if err != nil {
			ts.Fatalf("told nothing that matches %s, but:%s", args[0], heard)
		}
		if want.Match(buf[:n]) {
			return
		}
		heard += fmt.Sprintf("\n%q", buf[:n])
	}
}

// sendSignal sends a signal to the process whose pid is in an environment variable: signal TERM VARIABLE.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME VARIABLE")
	}
	sig, err := config.ParseSignal(args[0])
	ts.Check(err)
	pid, err := strconv.Atoi(ts.Getenv(args[1]))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, sig))
}

// pidOf finds a number in the last output and keeps it: pidof REGEXP VARIABLE.
func pidOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pidof REGEXP VARIABLE")
	}
	m := regexp.MustCompile(args[0]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("no %s in the output", args[0])
	}
	ts.Setenv(args[1], m[1])
}

// exits runs a command that must end with this very status: exits 78 brood check -c bad.toml.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	status, err := 0, ts.Exec(args[1], args[2:]...)
	if bad, ok := errors.AsType[*exec.ExitError](err); ok {
		status, err = bad.ExitCode(), nil
	}
	ts.Check(err)
	if status != want {
		ts.Fatalf("%s ended with %d, want %d", args[1], status, want)
	}
}
