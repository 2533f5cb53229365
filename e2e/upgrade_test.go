//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// upgrades is how many there are in a row. The variable is for longer runs by hand.
func upgrades(t *testing.T, usual int) int {
	t.Helper()
	word := os.Getenv("E2E_UPGRADES")
	if word == "" {
		return usual
	}
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// openLoad sends requests at a rate of their own, whatever becomes of those before.
func openLoad(t *testing.T, address string, rate int) *loadgen.Load {
	t.Helper()
	return startLoad(t, address, func(c *loadgen.Config) { c.Think, c.Rate, c.Clients = 0, float64(rate), 64 })
}

// went demands that all that was sent was answered.
func went(t *testing.T, load *loadgen.Load) {
	t.Helper()
	r := load.Stop()
	if r.Failed() != 0 || r.OK() == 0 {
		t.Errorf("open load:\n%s", &r)
	}
	t.Logf("%d requests, %d failed", r.Requests(), r.Failed())
}

// TestUpgrades: under load the supervisor is replaced again and again, and nobody notices: not the clients, not the workers.
// Programs that cannot go on are refused, and nothing has changed. A worker that dies meanwhile is replaced by the next program.
func TestUpgrades(t *testing.T) {
	ports := freePorts(t, 1)
	b := launch(t, options{
		flags: []string{"-n", "4", "-l", address(ports[0])}, command: []string{guestBin(), testguest.Word, "http"},
	})
	load := openLoad(t, address(ports[0]), 1000)
	before := b.pool()
	wrong := filepath.Join(t.TempDir(), "brood")
	write(t, wrong, "#!/bin/sh\necho no >&2; exit 1\n")
	if err := os.Chmod(wrong, 0o755); err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "brood") // still being copied
	writer, err := os.OpenFile(written, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	n := upgrades(t, 10)
	for i := range n {
		if said := b.must("upgrade"); !strings.Contains(said, "goes on in place of") {
			t.Errorf("it said %q", said)
		}
		if i%5 != 0 {
			continue
		}
		for program, reason := range map[string]string{
			"/bin/true": "no brood that can be upgraded to", wrong: "no", "/nowhere/brood": "no such file", "/etc/passwd": "permission denied",
			written: "text file busy",
		} {
			if _, said, code := b.verb("upgrade", "--program", program); code == 0 || !strings.Contains(said, reason) {
				t.Errorf("%s: %q, %d", program, said, code)
			}
		}
	}
	if p := b.pool(); p.Restarts != 0 || p.Workers[0].PID != before.Workers[0].PID || p.Workers[3].PID != before.Workers[3].PID {
		t.Errorf("before\n%safter\n%s", before, p)
	}
	b.awaitSaid("supervisor upgraded: it goes on", n)
	if got := len(b.said("supervisor upgraded: it goes on")); got != n {
		t.Errorf("%d upgrades in the log, want %d", got, n)
	}
	went(t, load)
	if err := syscall.Kill(before.Workers[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.must("upgrade")
	b.await("another worker", func() bool { p := b.pool(); return p.whole() && p.Restarts == 1 })
	b.stop()
}

// TestUpgradeWithinRollout: rollouts, reloads and scalings go on over upgrades, and who waits for them hears of their end.
func TestUpgradeWithinRollout(t *testing.T) {
	ports := freePorts(t, 1)
	b := launch(t, options{
		flags:   []string{"-n", "3", "-l", address(ports[0]), "--settle", "300ms"},
		command: []string{guestBin(), testguest.Word, "http"},
	})
	tr := startTraffic(t, address(ports[0]))
	for generation := 2; generation <= 4; generation++ {
		rolled := make(chan string, 1)
		go func() {
			out, complaints, code := b.verb("roll", "--wait")
			rolled <- out + complaints + strconv.Itoa(code)
		}()
		b.await("a rollout", func() bool { return len(b.said("rollout started")) == generation-1 })
		for len(rolled) == 0 {
			b.must("upgrade")
		}
		if said := <-rolled; !strings.Contains(said, "is at generation "+strconv.Itoa(generation)) || !strings.HasSuffix(said, "0") {
			t.Errorf("the rollout said %q", said)
		}
	}
	b.must("scale", "5")
	b.must("upgrade")
	b.await("five", func() bool { p := b.pool(); return p.Desired == 5 && p.whole() })
	tr.flawless(t)
	b.stop()
}

// TestUpgradeUnderSignals: whatever signals come, none kills the supervisor on its way from one program to the next, and
// those that count are counted.
func TestUpgradeUnderSignals(t *testing.T) {
	ports := freePorts(t, 1)
	b := launch(t, options{
		flags: []string{"-n", "2", "-l", address(ports[0]), "--reload", "signal"}, command: []string{guestBin(), testguest.Word, "http"},
	})
	done, ended := make(chan struct{}), make(chan int)
	go func() {
		sent := 0
		for {
			select {
			case <-done:
				ended <- sent
				return
			default:
			}
			for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGCHLD, syscall.SIGUSR2, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGUSR1} {
				_ = b.cmd.Process.Signal(sig) // the test sees it if it is gone
				sent++
			}
		}
	}()
	for range upgrades(t, 5) {
		b.must("upgrade")
	}
	close(done)
	t.Logf("%d signals", <-ended)
	b.await("peace", func() bool { p := b.pool(); return p.whole() })
	b.stop()
}
