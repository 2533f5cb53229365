package main

import (
	"fmt"
	"net"
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
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_RUNTIME_DIR", filepath.Join(env.WorkDir, "run"))
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"told":   told,
			"signal": sendSignal,
			"pidof":  pidOf,
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
	ts.Check(l.SetReadDeadline(time.Now().Add(20 * time.Second)))
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
