//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
)

// TestWorkersDieWithBrood: a brood that is killed takes its workers along, also
// those that would ignore TERM.
func TestWorkersDieWithBrood(t *testing.T) {
	port := freePort(t)
	b := launch(t, options{
		flags:   []string{"-n", strconv.Itoa(slots), "-l", "http=" + address(port)},
		command: []string{guestBin(), testguest.Word, "stubborn", "-notify"},
	})
	var ends []func()
	for _, w := range b.pool().Workers {
		ends = append(ends, watchEnd(t, w.PID))
	}
	if err := b.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	b.code()
	for _, end := range ends {
		end()
	}
}

// TestFourTerminations: the fourth ends it at once, whatever the workers do.
func TestFourTerminations(t *testing.T) {
	port := freePort(t)
	b := launch(t, options{
		flags:   []string{"-n", strconv.Itoa(slots), "-l", "http=" + address(port), "--grace", "10m"},
		command: []string{guestBin(), testguest.Word, "stubborn", "-notify"},
	})
	var ends []func()
	for _, w := range b.pool().Workers {
		ends = append(ends, watchEnd(t, w.PID))
	}
	b.terminate(4)
	if code := b.code(); code != 1 {
		t.Errorf("brood ended with %d, want 1", code)
	}
	for _, end := range ends {
		end()
	}
}

// terminate sends TERM so many times.
func (b *brood) terminate(times int) {
	b.t.Helper()
	for n := range times {
		if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.t.Fatal(err)
		}
		if n < times-1 {
			// Signals of one kind merge while one is pending: wait until it was heard.
			b.await("the termination to be heard", func() bool {
				return strings.Count(read(b.t, b.log), "signal received") > n
			})
		}
	}
}

// TestProcessOne: as process 1 of a container brood reaps what others leave, and
// ends with 0 on TERM.
func TestProcessOne(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root)
	port := freePort(t)
	b := launch(t, options{
		flags: []string{"-n", "2", "-l", "http=" + address(port)},
		// The inner shell leaves its sleep to process 1.
		command: []string{
			"sh", "-c", `sh -c "setsid sleep 0.5 & exit 0"; exec "$@"`, "worker",
			guestBin(), testguest.Word, "http", "-notify",
		},
		attr: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS},
		launch: func(ctx context.Context, argv ...string) *exec.Cmd {
			const mount = `mount --make-rprivate / && mount -t proc proc /proc && exec "$@"`
			return here(ctx, append([]string{"sh", "-c", mount, "container"}, argv...)...)
		},
	})
	inside := func(argv ...string) string {
		t.Helper()
		enter := []string{"-t", strconv.Itoa(b.cmd.Process.Pid), "-p", "-m", "--"}
		out, err := exec.CommandContext(t.Context(), "nsenter", append(enter, argv...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", argv, err, out)
		}
		return string(out)
	}
	if comm := strings.TrimSpace(inside("cat", "/proc/1/comm")); comm == "sh" {
		t.Errorf("process 1 is %q", comm)
	}
	b.await("the orphans to be reaped", func() bool {
		return !strings.Contains(inside("ps", "-e", "-o", "comm="), "sleep")
	})
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := b.code(); code != 0 {
		t.Errorf("brood ended with %d", code)
	}
}
