//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that takes moments.
const patience = 60 * time.Second

// options say how to launch brood.
type options struct {
	file    string   // a configuration file in place of flags and a command
	flags   []string // of brood run, beyond the usual ones
	command []string // the worker's
	env     []string // more than the test has
	launch  launcher // nil: here
	uid     int      // who owns the control and notify sockets
	attr    *syscall.SysProcAttr
}

// launcher prepares a program, for example in another namespace or as another user.
type launcher func(ctx context.Context, argv ...string) *exec.Cmd

func here(ctx context.Context, argv ...string) *exec.Cmd {
	return exec.CommandContext(ctx, argv[0], argv[1:]...)
}

// inShell runs a program by a script of sh, which has it as "$@", and a word as $0.
func inShell(script, word string) launcher {
	return func(ctx context.Context, argv ...string) *exec.Cmd {
		return here(ctx, append([]string{"sh", "-c", script, word}, argv...)...)
	}
}

// brood is a running supervisor. It hears what brood tells its own supervisor, so
// that it can wait for facts.
type brood struct {
	t       *testing.T
	cmd     *exec.Cmd
	control string
	log     string
	exited  chan struct{}
	news    chan string // datagrams of the notify socket

	mu    sync.Mutex
	ready bool
}

// launch starts brood and returns when it says READY=1.
func launch(t *testing.T, o options) *brood {
	t.Helper()
	b := begin(t, o)
	b.awaitReady()
	return b
}

func (b *brood) awaitReady() {
	b.t.Helper()
	b.await("READY=1", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.ready
	})
}

// begin starts brood, and ends it with the test if the test has not.
func begin(t *testing.T, o options) *brood {
	t.Helper()
	dir := scratch(t, o.uid)
	b := &brood{
		t: t, control: filepath.Join(dir, "control.sock"), log: filepath.Join(dir, "log"),
		exited: make(chan struct{}), news: make(chan string, 1024),
	}
	stopNotify := b.listen(filepath.Join(dir, "notify.sock"), o.uid)

	argv := []string{broodBin(), "run", "--control", b.control, "--log-format", "json"}
	if o.file != "" {
		argv = append(append(argv, "-c", o.file), o.flags...)
	} else {
		argv = append(append(argv, "--name", "web", "--worker-output", "prefix"), o.flags...)
		argv = append(append(argv, "--"), o.command...)
	}
	if o.launch == nil {
		o.launch = here
	}
	b.cmd = o.launch(context.Background(), argv...)
	b.cmd.Env = append(append(os.Environ(), o.env...), "NOTIFY_SOCKET="+filepath.Join(dir, "notify.sock"))
	b.cmd.SysProcAttr = o.attr
	log, err := os.Create(b.log)
	if err != nil {
		t.Fatal(err)
	}
	b.cmd.Stdout, b.cmd.Stderr = log, log
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log.Close()
	go func() { _ = b.cmd.Wait(); close(b.exited) }() // its verdict is in ProcessState
	t.Cleanup(func() {
		b.end()
		stopNotify()
		if t.Failed() {
			t.Logf("the log of brood ends with:\n%s", tail(b.log, 80))
		}
	})
	return b
}

// end ends what is left, gently first, so that no worker outlives a failed test.
func (b *brood) end() {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-b.exited:
			return
		default:
		}
		_ = b.cmd.Process.Signal(sig) // it may have ended by now
		select {
		case <-b.exited:
			return
		case <-time.After(patience / 2):
			b.t.Errorf("brood does not end by %s", sig)
		}
	}
}

// listen makes the notify socket and reads it until stop is called.
func (b *brood) listen(path string, uid int) (stop func()) {
	b.t.Helper()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.Chown(path, uid, -1); err != nil {
		b.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1<<16)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return // closed by stop
			}
			b.hear(string(buffer[:n]))
		}
	}()
	return func() { socket.Close(); <-done }
}

func (b *brood) hear(message string) {
	if slices.Contains(strings.Split(message, "\n"), "READY=1") {
		b.mu.Lock()
		b.ready = true
		b.mu.Unlock()
	}
	select {
	case b.news <- message:
	default: // nobody waits; whoever does next looks at the state itself first
	}
}

// await waits until a condition holds. It looks again whenever brood has said
// something, and now and then, since not all that happens is said.
func (b *brood) await(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-b.news:
		case <-look.C:
		case <-b.exited:
			b.t.Fatalf("brood ended (%v) before %s", b.cmd.ProcessState, what)
		case <-deadline.C:
			b.t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// verb runs a control command of brood.
func (b *brood) verb(words ...string) (stdout, stderr string, code int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	argv := append([]string{words[0], "--control", b.control}, words[1:]...)
	cmd := exec.CommandContext(ctx, broodBin(), argv...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		b.t.Fatalf("cannot run brood %q: %v", argv, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a control command that has to succeed.
func (b *brood) must(words ...string) string {
	b.t.Helper()
	stdout, stderr, code := b.verb(words...)
	if code != 0 {
		b.t.Fatalf("brood %q ended with %d: %s%s", words, code, stdout, stderr)
	}
	return stdout
}

// code waits for the end of brood and gives its exit code.
func (b *brood) code() int {
	b.t.Helper()
	select {
	case <-b.exited:
		return b.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		b.t.Fatal("brood does not end")
		return -1
	}
}

// stop ends it as a user would and demands that it ends well.
func (b *brood) stop() {
	b.t.Helper()
	b.must("stop")
	if code := b.code(); code != 0 {
		b.t.Errorf("brood ended with %d", code)
	}
}
