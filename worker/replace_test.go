package worker_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// openFiles is the limit of open files that a chain is started with, and that its workers are to have.
const openFiles = 300

// A program that replaces itself again and again, under a hail of signals, keeps its workers and what belongs to them, and
// misses no end.
func TestReplace(t *testing.T) {
	for _, groups := range []string{"none", "groups"} {
		t.Run(groups, func(t *testing.T) {
			if groups == "groups" {
				testhost.Need(t, testhost.Root, testhost.Cgroup2)
			}
			const rounds = 5
			s, dir := newSpawner(t), t.TempDir()
			binary := filepath.Join(dir, "kept")
			copyFile(t, "/bin/sh", binary)
			tmp := t.TempDir()
			cmd := helper(t, "chain", strconv.Itoa(rounds), groups, binary)
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			cmd.Limits = []worker.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: openFiles, Hard: 4096}}
			p, lines := launchTalking(t, s, cmd)
			if line, _ := lines.ReadString('\n'); line != "up\n" {
				t.Fatalf("got %q", line)
			}
			end := link{}
			hail(p, func() { end = readLink(t, lines) })
			if e := <-p.exit; !e.Success() || e.Remains {
				t.Errorf("its end: %v", e)
			}
			for _, fault := range end.Faults {
				t.Error(fault)
			}
			if end.Round != rounds || len(end.Workers) != chained*rounds+1 {
				t.Errorf("ended with %d workers in round %d", len(end.Workers), end.Round)
			}
			for i, w := range end.Workers {
				want := fmt.Sprintf("exit %d", i)
				if i/rounds == 1 {
					want += ", leaving processes behind"
				}
				if i == chained*rounds+rounds {
					want = "exit 0"
				}
				if len(w.Exits) != 1 || w.Exits[0] != want || w.Gone != 1 {
					t.Errorf("worker %d: %q, gone %d times; want %q", i, w.Exits, w.Gone, want)
				}
			}
			if end.Heard != end.Said || end.Said == 0 {
				t.Errorf("heard %d of %d datagrams", end.Heard, end.Said)
			}
			if left, err := os.ReadDir(tmp); len(left) > 0 || err != nil {
				t.Errorf("left of temporary files: %v, %v", left, err)
			}
			if end.Groups != nil {
				absent(t, end.Groups.Base)
			}
			t.Logf("%d datagrams, signals %v", end.Heard, end.Signals)
		})
	}
}

// A signal of job control that waits when a program begins comes to its channel, and does not stop it.
func TestNotifySignals(t *testing.T) {
	s := newSpawner(t)
	cmd := helper(t, "await-ttin")
	cmd.Argv = append([]string{"/usr/bin/env", "--block-signal=TTIN", "/bin/sh", "-c", `kill -TTIN $$; exec "$0"`}, cmd.Argv...)
	if text, exit := output(t, s, cmd); text != "got it\n" || !exit.Success() {
		t.Errorf("said %q and ended by %v", text, exit)
	}
}

func awaitTTIN([]string) int {
	signals := make(chan os.Signal, 1)
	worker.NotifySignals(signals, syscall.SIGTTIN)
	<-signals
	fmt.Println("got it")
	return 0
}

// hail sends signals for as long as f takes.
func hail(p *running, f func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		for {
			for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGCHLD, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGUSR2, syscall.SIGWINCH} {
				if err := p.Signal(sig); errors.Is(err, os.ErrProcessDone) {
					return
				}
			}
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	f()
	close(stop)
	<-done
}

func readLink(t *testing.T, from io.Reader) (l link) {
	t.Helper()
	if err := json.NewDecoder(from).Decode(&l); err != nil {
		t.Errorf("cannot read what the chain says: %v", err)
	}
	return l
}

// talk sends numbers until nobody wants more, and then how many they were.
func talk([]string) int {
	conn, err := net.Dial("unixgram", os.Getenv(handshake.EnvNotifySocket))
	if err != nil {
		return failIf(err)
	}
	end := make(chan struct{})
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
		close(end)
	})
	for n := 0; ; n++ {
		text := fmt.Sprintf("STATUS=%d", n)
		select {
		case <-end:
			_, err := conn.Write([]byte(text + "\nSTOPPING=1"))
			return failIf(err)
		default:
		}
		if _, err := conn.Write([]byte(text)); err != nil {
			return failIf(err)
		}
	}
}

// fail has some executions fail, after which everything is as before.
func (c *chain) fail() error {
	before := c.surroundings()
	text := "/tmp/brood-chain-" + strconv.Itoa(os.Getpid())
	if err := os.WriteFile(text, []byte("\x00\x01"), 0o700); err != nil {
		return err
	}
	defer os.Remove(text)
	for _, f := range []struct {
		r    worker.Replacement
		sig  syscall.Signal
		want error
	}{
		{worker.Replacement{Path: text + ".none"}, unix.SIGUSR1, unix.ENOENT},
		{worker.Replacement{Path: text}, unix.SIGUSR2, unix.ENOEXEC},
		{worker.Replacement{Path: "/proc/self/exe", Env: []string{strings.Repeat("x", 1<<20)}}, unix.SIGTTIN, unix.E2BIG},
		{worker.Replacement{Path: "/proc/self/exe", Inherit: []int{77777}}, unix.SIGHUP, unix.EBADF},
		{worker.Replacement{Path: "/proc/self/exe"}, unix.SIGTERM, worker.ErrSignalled},
	} {
		results := make(chan worker.StartResult, 1)
		err := c.replace(func(int) worker.Replacement {
			// Signalled and asked for a start while it stands still: both come through afterwards.
			_ = unix.Kill(os.Getpid(), f.sig)
			cmd := worker.Command{Argv: []string{"/bin/true"}, Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: 2}
			c.spawner.Start(cmd, func(r worker.StartResult) { results <- r })
			f.r.Argv = []string{"chain"}
			return f.r
		})
		if !errors.Is(err, f.want) {
			c.fault(fmt.Errorf("executed %s, want %w: %w", f.r.Path, f.want, err))
		}
		if r := <-results; r.Err != nil {
			c.fault(r.Err)
		}
		c.await(func() bool { return c.Signals[worker.SignalName(f.sig)] == 1 })
	}
	if after := c.surroundings(); !maps.Equal(before, after) {
		c.fault(fmt.Errorf("surroundings were %v, are %v", before, after))
	}
	c.checkOpenFiles()
	clear(c.Signals)
	return nil
}

// surroundings are what an execution changes, as the main thread sees them.
func (c *chain) surroundings() map[string]string {
	all := map[string]string{}
	err := c.spawner.Still(func() error { return survey(all) })
	if err != nil {
		c.fault(err)
	}
	return all
}

func survey(all map[string]string) error {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if name, value, _ := strings.Cut(line, ":"); strings.HasPrefix(name, "Sig") && name != "SigQ" && name != "SigPnd" {
			all[name] = strings.TrimSpace(value)
		}
	}
	for fd := range openFiles {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			all[strconv.Itoa(fd)] = "inherited"
		}
	}
	var limit unix.Rlimit
	err = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	all["open files"] = fmt.Sprint(limit)
	return err
}

// checkOpenFiles makes sure that workers have the limit that we were started with.
func (c *chain) checkOpenFiles() {
	code, err := c.once(worker.Command{Argv: []string{"/bin/sh", "-c", "test $(ulimit -Sn) = " + strconv.Itoa(openFiles)}})
	if code != 0 || err != nil {
		c.fault(fmt.Errorf("the limit of open files is another one: %d, %w", code, err))
	}
}
