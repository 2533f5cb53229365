package progress

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/broodctl/brood/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-update writes it anew):\n%s", path, diff)
	}
}

// born is when the process of a pid started: no two started at once.
func born(pid int) time.Time { return time.Unix(int64(pid), 0).UTC() }

// snap is a snapshot of pools.
func snap(pools ...supervisor.PoolView) supervisor.Snapshot {
	return supervisor.Snapshot{Name: "shop", PID: 1, Pools: pools}
}

// pool is a pool of workers written "SLOT SIDE PID STATE GENERATION", as in "0 a 99 ready 1". Every slot of the workers is
// wanted but those behind a "|".
func pool(name string, generation uint64, workers ...string) supervisor.PoolView {
	p := supervisor.PoolView{Name: name, Phase: phaseServing, Generation: generation}
	wanted, ready := map[int]bool{}, map[int]bool{}
	surplus := false
	for _, text := range workers {
		if text == "|" {
			surplus = true
			continue
		}
		var w supervisor.WorkerView
		if _, err := fmt.Sscan(text, &w.Slot, &w.Side, &w.PID, &w.State, &w.Generation); err != nil {
			panic(text + ": " + err.Error())
		}
		if w.PID != 0 {
			w.Started = born(w.PID)
		}
		w.Ready = w.State == stateReady || w.State == stateProving
		if !surplus {
			wanted[w.Slot] = true
			ready[w.Slot] = ready[w.Slot] || w.Ready
		}
		p.Workers = append(p.Workers, w)
	}
	p.Desired = len(wanted)
	for _, yes := range ready {
		if yes {
			p.Ready++
		}
	}
	return p
}

// with changes a copy of a pool.
func with(p supervisor.PoolView, change func(*supervisor.PoolView)) supervisor.PoolView {
	p.Workers = append([]supervisor.WorkerView(nil), p.Workers...)
	change(&p)
	return p
}

func rollout(generation uint64, state, reason string) func(*supervisor.PoolView) {
	return func(p *supervisor.PoolView) {
		p.Rollout = &supervisor.RolloutView{Generation: generation, State: state, Reason: reason}
	}
}

// reloading is a snapshot with a reload in it.
func reloading(state, reason string, pools ...supervisor.PoolView) supervisor.Snapshot {
	s := snap(pools...)
	if state != "" {
		s.Config.Reload = &supervisor.ReloadView{State: state, Error: reason}
	}
	return s
}

// held is a pool that has not begun.
func held(name, queue string) supervisor.PoolView {
	return supervisor.PoolView{Name: name, Phase: phaseWaiting, Generation: 1, Desired: 2, WaitsFor: []string{queue}}
}

func unmet(p *supervisor.PoolView) { p.Unmet = []string{"env:API_KEYS", "tcp://127.0.0.1:5432"} }

// moment is a snapshot of a story, and when it came.
type moment struct {
	at   time.Duration
	snap supervisor.Snapshot
}

const diedYoung = "died_young: exit status 3"

// goodRollout is a rollout of two slots as its watchers see it.
func goodRollout() []moment {
	rolling := rollout(2, rolloutRolling, "")
	status := func(p *supervisor.PoolView) {
		rolling(p)
		p.Workers[1].Status = "loading\x1b[2J caches\nand \u202etables"
	}
	return []moment{
		{0, snap(pool("web", 1, "0 a 99 ready 1", "1 a 100 ready 1"))},
		{100 * time.Millisecond, snap(with(pool("web", 1, "0 a 99 ready 1", "0 b 0 starting 2", "1 a 100 ready 1"), rolling))},
		{150 * time.Millisecond, snap(with(pool("web", 1, "0 a 99 ready 1", "0 b 123 starting 2", "1 a 100 ready 1"), rolling))},
		{900 * time.Millisecond, snap(with(pool("web", 1, "0 a 99 ready 1", "0 b 123 starting 2", "1 a 100 ready 1"), status))},
		{1100 * time.Millisecond, snap(with(pool("web", 1, "0 a 99 settling 1", "0 b 123 ready 2", "1 a 100 ready 1"), rolling))},
		{2100 * time.Millisecond, snap(with(pool("web", 1, "0 b 123 ready 2", "1 a 100 ready 1", "1 b 124 starting 2"), rolling))},
		{3500 * time.Millisecond, snap(with(pool("web", 1, "0 b 123 ready 2", "1 a 100 draining 1", "1 b 124 ready 2"), rolling))},
		{4 * time.Second, snap(with(pool("web", 2, "0 b 123 ready 2", "1 b 124 ready 2"), rollout(2, rolloutDone, "")))},
	}
}

// badRollout is one whose second worker dies.
func badRollout() []moment {
	reason := "worker web.1 (pid 124) died before it was ready: exit status 3"
	last := func(p *supervisor.PoolView) {
		rollout(2, rolloutReverting, reason)(p)
		p.Workers[len(p.Workers)-1].LastExit = diedYoung
	}
	return []moment{
		{0, snap(pool("web", 1, "0 a 99 ready 1", "1 a 100 ready 1"))},
		{time.Second, snap(with(pool("web", 1, "0 b 123 ready 2", "1 a 100 ready 1", "1 b 124 starting 2"), rollout(2, rolloutRolling, "")))},
		{2 * time.Second, snap(with(pool("web", 1, "0 a 130 starting 1", "0 b 123 ready 2", "1 a 100 ready 1"), last))},
		{3 * time.Second, snap(with(pool("web", 1, "0 a 130 ready 1", "0 b 123 killed 2", "1 a 100 ready 1"), last))},
		{4 * time.Second, snap(with(pool("web", 1, "0 a 130 ready 1", "1 a 100 ready 1"), rollout(2, rolloutFailed, reason)))},
	}
}

// fleet is a rollout of many slots in which some are done, some move, and the others wait for their turn.
func fleet(name string, size, through, moving int) supervisor.PoolView {
	var workers []string
	for i := range size {
		switch {
		case i < through:
			workers = append(workers, fmt.Sprintf("%d b %d ready 2", i, 2000+i))
		case i < through+moving:
			workers = append(workers, fmt.Sprintf("%d a %d ready 1", i, 1000+i), fmt.Sprintf("%d b %d starting 2", i, 2000+i))
		default:
			workers = append(workers, fmt.Sprintf("%d a %d ready 1", i, 1000+i))
		}
	}
	return with(pool(name, 1, workers...), rollout(2, rolloutRolling, ""))
}

// told shows a story in a form and returns what was written.
func told(story []moment, opt Options, verdict Verdict) string {
	var out strings.Builder
	opt.Out = &out
	p := New(opt)
	begin := time.Unix(1, 0)
	var last time.Duration
	p.now = func() time.Time { return begin.Add(last) }
	for _, m := range story {
		last = m.at
		p.Update(m.snap)
	}
	p.End(verdict)
	return out.String()
}
