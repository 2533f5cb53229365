//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

const rollouts = 5

// TestRollouts: under load, replaced again and again, nothing fails.
func TestRollouts(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, b *brood, address string) {
		tr := startTraffic(t, address)
		before := b.pool()
		for n := range rollouts {
			b.must("roll", "--wait")
			if p := b.pool(); !p.whole() || p.Generation != before.Generation+n+1 {
				t.Fatalf("after rollout %d, generation %d: %s", n+1, p.Generation, p)
			}
		}
		after := b.pool()
		for i, w := range after.Workers {
			if w.PID == before.Workers[i].PID {
				t.Errorf("slot %d still has the process of the first generation", w.Slot)
			}
		}
		tr.flawless(t)
	}, "--max-surge", "2")
}

// TestScale: up and down under load, nothing fails.
func TestScale(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, b *brood, address string) {
		tr := startTraffic(t, address)
		for _, n := range []int{6, 2, 5, 1, 4, 3, slots} {
			b.must("scale", strconv.Itoa(n))
			b.await("as many as were asked for", func() bool {
				p := b.pool()
				return p.Desired == n && p.whole()
			})
			if err := tr.fresh.Await(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
		}
		tr.flawless(t)
	})
}

// TestStopFirst: without overlap, and still nothing fails: connections wait in
// the queues meanwhile.
func TestStopFirst(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, b *brood, address string) {
		tr := startTraffic(t, address)
		for range 2 {
			b.must("roll", "--wait")
		}
		tr.flawless(t)
	}, "--order", "stop-first", "--max-unavailable", "1")
}

// TestFailedRollout: a successor that is never ready ends the rollout, the old
// ones serve on, and the command says why.
func TestFailedRollout(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	broken := filepath.Join(scratch(t, os.Geteuid()), "broken")
	b := launch(t, options{
		flags: []string{
			"-n", "2", "-l", "http=" + address(port), "--settle", "100ms",
			"--ready", "notify", "--ready-timeout", "2s",
		},
		command: []string{
			"sh", "-c", `[ -e "$1" ] && exec "$2" "$3" never-ready -stderr no-database; exec "$2" "$3" http -notify`,
			"worker", broken, guestBin(), testguest.Word,
		},
	})
	before := b.pool()
	tr := startTraffic(t, address(port))
	touch(t, broken)
	stdout, stderr, code := b.verb("roll", "--wait")
	if code != 1 {
		t.Errorf("the command ended with %d", code)
	}
	if !strings.Contains(stdout+stderr, "no-database") {
		t.Errorf("the command does not show the successor's last line: %q %q", stdout, stderr)
	}
	var after pool
	b.await("the old ones serve on alone", func() bool { // the verdict comes before the end of the one that failed
		after = b.pool()
		return after.whole()
	})
	for i, w := range after.Workers {
		if w.PID != before.Workers[i].PID {
			t.Errorf("slot %d has another process: %s, before: %s", w.Slot, after, before)
		}
	}
	if err := tr.fresh.Await(t.Context(), 50); err != nil {
		t.Error(err)
	}
	tr.flawless(t)
	b.stop()
}
