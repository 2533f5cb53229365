//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fellow is a brood that shares worker ids with others: each worker writes down its id, fence and pid, and whether it
// found another one that has its id.
func fellow(name, dir string) keys {
	body := `exec 9>"lock.$BROOD_WORKER_ID"; flock -n 9 || echo "$BROOD_WORKER_ID" >>doubles; echo "$BROOD_WORKER_ID $BROOD_FENCE $$" >>workers; exec sleep 100`
	return keys{
		"supervisor.name":            word(name),
		"coordination.group":         word("fellows"),
		"coordination.directory":     word(filepath.Join(dir, "places")),
		"pool.web.command":           list("sh", "-c", body),
		"pool.web.dir":               word(dir),
		"pool.web.workers":           "2",
		"pool.web.worker_ids":        word("0-3"),
		"pool.web.orphans":           word("keep"),
		"pool.web.ready":             word("delay:10ms"),
		"pool.web.rollout.order":     word("stop-first"),
		"pool.web.rollout.max_surge": "0",
	}
}

// TestSharedWorkerIDs: two broods share four ids. One is killed, and its workers live on: their ids stay theirs, until they
// are gone. A third one waits and says so, also as another program.
func TestSharedWorkerIDs(t *testing.T) {
	t.Parallel()
	dir := site(t)
	start := func(name string) *brood {
		path := filepath.Join(dir, name+".toml")
		write(t, path, fellow(name, dir).String())
		return begin(t, options{file: path})
	}
	a, b := start("a"), start("b")
	a.awaitReady()
	b.awaitReady()
	ids := append(idsOf(a), idsOf(b)...)
	if slices.Sort(ids); !slices.Equal(ids, []int{0, 1, 2, 3}) {
		t.Fatalf("the ids of both are %v", ids)
	}
	orphans := a.status().named("web").Workers
	t.Cleanup(func() {
		for _, w := range orphans {
			_ = syscall.Kill(w.PID, syscall.SIGKILL) // most are gone
		}
	})

	c := start("c")
	waits := func() bool {
		text, _, _ := c.verb("status") // its socket may not be there yet
		return strings.Contains(text, "waits for a worker id: 0-3 are all taken: 0 by ")
	}
	c.await("the third to say that it waits", waits)
	c.must("upgrade")
	c.await("the third to say so again", waits)
	b.must("upgrade")

	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	a.code()
	if got := idsOf(c); len(got) > 0 {
		t.Fatalf("the third has %v, and the workers of the first live", got)
	}
	for n, w := range orphans {
		if err := syscall.Kill(w.PID, syscall.SIGKILL); err != nil {
			t.Fatalf("a worker did not outlive its brood: %v", err)
		}
		c.await("the id of the one that is gone", func() bool { return len(idsOf(c)) == n+1 })
		if got := idsOf(c); !slices.Contains(got, w.WorkerID) {
			t.Errorf("the third has %v, and %d came free", got, w.WorkerID)
		}
	}
	b.stop()
	c.must("scale", "4")
	c.stop()

	if text, err := os.ReadFile(filepath.Join(dir, "doubles")); err == nil {
		t.Errorf("these ids were found held: %s", strings.Fields(string(text)))
	}
	fencesGrow(t, filepath.Join(dir, "workers"))
}

func idsOf(b *brood) []int {
	b.t.Helper()
	var ids []int
	for _, w := range b.status().named("web").Workers {
		if w.PID != 0 {
			ids = append(ids, w.WorkerID)
		}
	}
	return ids
}

// fencesGrow demands that each holder of an id has a larger fence than the one before it.
func fencesGrow(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last, lines := map[int]uint64{}, strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines {
		var id, pid int
		var fence uint64
		if _, err := fmt.Sscan(line, &id, &fence, &pid); err != nil {
			t.Fatalf("cannot read %q: %v", line, err)
		}
		if fence <= last[id] {
			t.Errorf("worker id %d was given with fence %d after %d", id, fence, last[id])
		}
		last[id] = fence
	}
	if len(lines) != 8 {
		t.Errorf("%d workers have started, want 8:\n%s", len(lines), text)
	}
}
