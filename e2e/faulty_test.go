//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testetcd"
	"github.com/broodctl/brood/internal/testhost"
)

var fleetSeed = flag.Uint64("seed", 0, "of the faults of TestFaultyFleet; 0 for another one each time")

const (
	fleetLease = 2 * time.Second
	fleetSize  = 5
	fleetIDs   = 2*fleetSize + 1 // almost all are taken
	// round is after how many faults all has to be well again: before that there is little left that more could break.
	round = 20
)

// TestFaultyFleet: five broods share worker ids and a leader through three members of etcd. Whatever happens to them, to
// etcd and to the network between, no two live workers have one id and no two lead; and when it is over everybody has what
// fits. E2E_FAULTS says how many faults there are.
func TestFaultyFleet(t *testing.T) {
	testhost.Need(t, testhost.Program("etcd"))
	t.Parallel()
	f := newFaulty(t)
	faults := 9
	if word := os.Getenv("E2E_FAULTS"); word != "" {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		faults, f.longest = n, 3*fleetLease
	}
	f.converge()
	for left := faults; left > 0; left -= round {
		f.round(min(left, round))
	}
	for _, m := range f.mates {
		m.b.stop()
	}
	f.judge(faults)
}

// faulty is some broods and the etcd that they share, to all of which something happens. The test's goroutine does
// everything, one thing after the other, so that a seed means something.
type faulty struct {
	t       *testing.T
	dir     string
	random  *rand.Rand
	seed    uint64
	longest time.Duration // of what lasts
	cluster *testetcd.Cluster
	mates   []*mate
	repairs []repair
	did     map[string]int
	begun   int                        // broods
	gaps    map[string][]time.Duration // without a leader, by what happened to the one before
	taken   int                        // how many of them there are
	errands sync.WaitGroup
}

// mate is one of the broods, with a way of its own to each member.
type mate struct {
	name, path string
	ways       []*testetcd.Way
	b          *brood // nil while it is down
	frozen     bool
	cut        bool
}

// repair ends a fault.
type repair struct {
	at time.Time
	do func()
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	f := &faulty{t: t, dir: site(t), seed: *fleetSeed, longest: 2 * fleetLease, did: map[string]int{}, gaps: map[string][]time.Duration{}}
	if f.seed == 0 {
		f.seed = rand.Uint64N(1 << 32)
	}
	t.Cleanup(func() {
		f.errands.Wait()
		for _, pid := range workersIn(t, f.dir) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("seed %d: %v\n%s", f.seed, f.did, read(t, filepath.Join(f.dir, "workers")))
		}
	})
	f.random = rand.New(rand.NewPCG(f.seed, 0))
	f.cluster = testetcd.Start(t, testetcd.Config{Members: 3})
	for i, manner := range manners() {
		m := &mate{name: "b" + strconv.Itoa(i), path: filepath.Join(f.dir, "b"+strconv.Itoa(i)+".toml")}
		var endpoints []string
		for _, e := range f.cluster.Endpoints() {
			w := testetcd.NewWay(t, e)
			m.ways, endpoints = append(m.ways, w), append(endpoints, w.Endpoint())
		}
		k := fleetKeys(m.name, f.dir, endpoints)
		maps.Copy(k, manner)
		write(t, m.path, k.String())
		f.mates = append(f.mates, m)
		f.begin(m)
	}
	return f
}

func (f *faulty) begin(m *mate) {
	f.t.Helper()
	b := begin(f.t, options{file: m.path})
	m.b, m.frozen = b, false
	f.begun++
	f.t.Cleanup(func() { _ = b.cmd.Process.Signal(syscall.SIGCONT) }) // it has ended most of the time
}

// kill ends a brood as the kernel does when memory is out.
func (f *faulty) kill(m *mate) {
	_ = m.b.cmd.Process.Kill()
	<-m.b.exited
	m.b = nil
}

// errand is a command of brood that takes its time, or fails because of another fault.
func (f *faulty) errand(b *brood, words ...string) {
	argv := append([]string{words[0], "--control", b.control}, words[1:]...)
	f.errands.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = exec.CommandContext(ctx, broodBin(), argv...).Run()
	})
}

// later ends a fault after a while.
func (f *faulty) later(d time.Duration, do func()) {
	f.repairs = append(f.repairs, repair{at: time.Now().Add(d), do: do})
}

// mend ends the faults whose time has come.
func (f *faulty) mend() {
	due := f.repairs
	f.repairs = nil
	for _, r := range due {
		if time.Now().Before(r.at) {
			f.repairs = append(f.repairs, r)
			continue
		}
		r.do()
	}
}

// await looks now and then whether something holds, and mends.
func (f *faulty) await(what string, holds func() bool) {
	f.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for f.mend(); !holds(); f.mend() {
		select {
		case <-look.C:
		case <-late.C:
			for _, m := range f.mates {
				if m.b != nil && !m.frozen {
					text, _, _ := m.b.verb("status")
					f.t.Logf("%s:\n%s", m.name, text)
				}
			}
			f.t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// pass lets faults last.
func (f *faulty) pass(d time.Duration) {
	begin := time.Now()
	f.await("time passes", func() bool { return time.Since(begin) >= d })
}

// converge waits until everybody has what fits: two ids each, and one of them the leader.
func (f *faulty) converge() {
	f.t.Helper()
	f.await("the end of all faults", func() bool { return len(f.repairs) == 0 })
	f.errands.Wait()
	for i := range f.cluster.Endpoints() {
		f.cluster.AwaitReady(i)
	}
	for _, m := range f.mates {
		f.await(m.name+" answers", func() bool { _, answers := m.pool(); return answers })
		m.b.must("scale", "2", "--wait=false") // one that has too many comes after one that waits for them
	}
	f.await("all have what fits", func() bool {
		leaders, ids := 0, map[int]bool{}
		for _, m := range f.mates {
			p, _ := m.pool()
			if !p.settled() {
				return false
			}
			for _, w := range p.Workers {
				ids[w.WorkerID] = true
				if w.Leader {
					leaders++
				}
			}
		}
		return leaders == 1 && len(ids) == fleetSize+1 // who stands by has an id, and no worker
	})
}

// sharing is a pool that shares ids and a leader with others.
type sharing struct {
	pool

	StandsBy int `json:"stands_by"`
	Rollout  *struct {
		State string `json:"state"`
	} `json:"rollout"`
	Claims struct {
		Waits []string `json:"waits"`
	} `json:"claims"`
}

// settled tells whether a pool of two has all its workers, but for a leader that others have, and nobody on the way out.
func (p sharing) settled() bool {
	for _, w := range p.Workers {
		if w.PID != 0 && !w.Ready {
			return false
		}
	}
	return p.Desired == 2 && p.Ready+p.StandsBy == 2 && len(p.Workers) == p.Ready && (p.Rollout == nil || p.Rollout.State != "rolling")
}

// pool is what a brood says of it, if it does.
func (m *mate) pool() (p sharing, answers bool) {
	m.b.t.Helper()
	text, _, _ := m.b.verb("status", "--output", "json") // it may have just begun
	var all struct {
		Pools []sharing `json:"pools"`
	}
	if json.Unmarshal([]byte(text), &all) != nil || len(all.Pools) != 1 {
		return p, false
	}
	return all.Pools[0], true
}
