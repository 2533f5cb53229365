//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testetcd"
)

// member is a brood that shares worker ids and the leader by etcd. Who finds another worker with its id, or another leader,
// writes that down; the kernel tells by a lock that ends with the worker.
func member(name, dir string, endpoints []string) keys {
	body := `hold() { eval "exec $2>lock.$1"; flock -n $2 || echo "$1" >>doubles; }
hold $BROOD_WORKER_ID 8; [ -z "$BROOD_LEADER_FENCE" ] || hold leader 9; exec sleep 100`
	return keys{
		"supervisor.name":            word(name),
		"coordination.group":         word("fellows"),
		"coordination.etcd":          list(endpoints...),
		"coordination.lease":         word("2s"),
		"pool.web.command":           list("sh", "-c", body),
		"pool.web.dir":               word(dir),
		"pool.web.workers":           "2",
		"pool.web.leader":            "true",
		"pool.web.worker_ids":        word("0-5"),
		"pool.web.ready":             word("delay:10ms"),
		"pool.web.rollout.order":     word("stop-first"),
		"pool.web.rollout.max_surge": "0",
	}
}

// TestPlacesInEtcd: two broods share six ids and the leader. An upgrade keeps them, a stop hands the leader over at once, and
// when etcd is gone everybody stops in time and begins again when it is back.
func TestPlacesInEtcd(t *testing.T) {
	t.Parallel()
	dir := site(t)
	etcd := testetcd.Start(t, testetcd.Config{})
	start := func(name string) *brood {
		path := filepath.Join(dir, name+".toml")
		write(t, path, member(name, dir, etcd.Endpoints()).String())
		return launch(t, options{file: path})
	}
	a := start("a")
	if got := idsOf(a); len(got) != 2 {
		t.Fatalf("the first has %v", got)
	}
	b := start("b")
	ids := append(idsOf(a), idsOf(b)...)
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != 3 {
		t.Fatalf("the ids of both are %v", ids)
	}
	before, followers := a.status().named("web").pids(), b.status().named("web").pids()
	a.must("upgrade")
	b.must("upgrade")
	if now := a.status().named("web").pids(); !slices.Equal(now, before) {
		t.Fatalf("after the upgrade the workers are %v, were %v", now, before)
	}
	if now := b.status().named("web").pids(); !slices.Equal(now, followers) {
		t.Fatalf("after the upgrade the workers are %v, were %v", now, followers)
	}

	a.stop()
	b.await("the other one to lead", func() bool { return b.status().named("web").whole() })

	etcd.Kill(0)
	b.await("an end of all workers", func() bool { return len(idsOf(b)) == 0 })
	b.awaitSaid("what is shared with other supervisors will be lost", 1)
	etcd.Begin(0)
	b.await("all workers again", func() bool { return b.status().named("web").whole() })
	b.stop()
	noDoubles(t, dir)
}

// TestKeptInEtcd: with on_lost = "keep" the workers of two broods outlive etcd, and have their ids anew when it is back, also
// if their brood was upgraded meanwhile. There are no other ids, so nobody can have taken one that is not its own.
func TestKeptInEtcd(t *testing.T) {
	t.Parallel()
	dir := site(t)
	etcd := testetcd.Start(t, testetcd.Config{})
	start := func(name string) *brood {
		path := filepath.Join(dir, name+".toml")
		write(t, path, member(name, dir, etcd.Endpoints()).with(
			"coordination.on_lost", word("keep"), "pool.web.leader", "false", "pool.web.worker_ids", word("0-3"),
		).String())
		return launch(t, options{file: path})
	}
	all := []*brood{start("a"), start("b")}
	had := func() (workers []string) {
		for _, b := range all {
			for _, w := range b.status().named("web").Workers {
				workers = append(workers, fmt.Sprintf("process %d has id %d", w.PID, w.WorkerID))
			}
		}
		return workers
	}
	before := had()
	etcd.Kill(0)
	for _, b := range all {
		b.awaitSaid("what is shared with other supervisors is lost", 1)
	}
	all[0].must("upgrade")
	etcd.Begin(0)
	for _, b := range all {
		b.awaitSaid("worker id claimed again", 2)
	}
	if now := had(); !slices.Equal(now, before) || len(now) != 4 {
		t.Errorf("there are %q, were %q", now, before)
	}
	for _, b := range all {
		b.stop()
	}
	noDoubles(t, dir)
}

// noDoubles demands that no worker has found another one with its id, or another leader.
func noDoubles(t *testing.T, dir string) {
	t.Helper()
	if text, err := os.ReadFile(filepath.Join(dir, "doubles")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("these were found held: %s (%v)", strings.Fields(string(text)), err)
	}
}

func (b *brood) awaitSaid(message string, times int) {
	b.t.Helper()
	b.await(fmt.Sprintf("%q %d times", message, times), func() bool { return len(b.said(message)) >= times })
}
