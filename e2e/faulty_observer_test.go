//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fleetWorker has locks as long as it or a child of it lives: no clock tells who uses an id. Who finds one held writes that
// down. $1 is how it is to be ended.
const fleetWorker = `
exec 9>>"lock.$BROOD_WORKER_ID"
flock -n 9 || echo "id $BROOD_WORKER_ID by $0, process $$" >>doubles
if [ "$BROOD_LEADER" = 1 ]; then
	exec 8>>lock.leader
	flock -n 8 || echo "leader by $0, process $$" >>doubles
fi
read -r up idle </proc/uptime
echo "$0 $BROOD_WORKER_ID $BROOD_FENCE ${BROOD_LEADER_FENCE:-0} $$ $up" >>workers
case $1 in
stubborn) trap '' TERM ;;
slow) trap 'sleep 0.2; exit' TERM; sleep 1000 & wait ;;
parent) sleep 1000 & sleep 1000 & ;;
esac
exec sleep 1000
`

// manners are what makes the broods different from each other.
func manners() []keys {
	worker := func(manner, name string) string { return list("sh", "-c", fleetWorker, name, manner) }
	return []keys{
		{"pool.web.command": worker("plain", "b0")},
		{"pool.web.command": worker("stubborn", "b1")},
		{"pool.web.command": worker("slow", "b2"), "pool.web.orphans": word("keep")},
		{"pool.web.command": worker("parent", "b3")},
		{"pool.web.command": worker("parent", "b4"), "pool.web.orphans": word("keep")},
	}
}

func fleetKeys(name, dir string, endpoints []string) keys {
	return keys{
		"supervisor.name":              word(name),
		"coordination.group":           word("fleet"),
		"coordination.etcd":            list(endpoints...),
		"coordination.lease":           word(fleetLease.String()),
		"pool.web.dir":                 word(dir),
		"pool.web.workers":             "2",
		"pool.web.worker_ids":          word("0-" + strconv.Itoa(fleetIDs-1)),
		"pool.web.leader":              "true",
		"pool.web.ready":               word("delay:10ms"),
		"pool.web.stop.grace":          word("300ms"),
		"pool.web.restart.backoff":     word("10ms"),
		"pool.web.restart.max_backoff": word("100ms"),
	}
}

// use is a worker as it was when it had its locks.
type use struct {
	who   string
	id    int
	fence uint64
	leads uint64 // the fence of the leader; 0 for others
	pid   int
	since time.Duration // CLOCK_BOOTTIME, to a hundredth of a second
}

func (f *faulty) uses() []use {
	f.t.Helper()
	var all []use
	text, err := os.ReadFile(filepath.Join(f.dir, "workers"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var u use
		var seconds float64
		if _, err := fmt.Sscan(line, &u.who, &u.id, &u.fence, &u.leads, &u.pid, &seconds); err != nil {
			f.t.Fatalf("cannot read %q: %v", line, err)
		}
		u.since = time.Duration(seconds * float64(time.Second))
		all = append(all, u)
	}
	return all
}

func lastLeader(uses []use) (u use, leads bool) {
	for _, u := range slices.Backward(uses) {
		if u.leads != 0 {
			return u, true
		}
	}
	return use{}, false
}

// leading is the brood that has the leader, else the one that is given.
func (f *faulty) leading(m *mate) *mate {
	last, _ := lastLeader(f.uses())
	for _, m := range f.mates {
		if m.name == last.who {
			return m
		}
	}
	return m
}

// succession takes the leader away while all else is well, and the time until there is another one.
func (f *faulty) succession() {
	f.t.Helper()
	last, _ := lastLeader(f.uses())
	end := f.ends(last.pid)
	all := f.faults()
	name := []string{"brood stopped", "brood killed", "worker that leads killed", "brood frozen", "brood cut off"}[f.taken%5]
	all[slices.IndexFunc(all, func(k fault) bool { return k.name == name })].do(f.leading(nil))
	f.did[name]++
	next := last
	f.await("another leader after the "+name, func() bool {
		next, _ = lastLeader(f.uses())
		return next.leads != last.leads
	})
	var died time.Duration
	f.await("the end of the leader before", func() bool {
		select {
		case died = <-end:
			return true
		default:
			return false
		}
	})
	f.taken++
	f.gaps[name] = append(f.gaps[name], max(0, next.since-died))
}

// ends tells when a process does.
func (f *faulty) ends(pid int) <-chan time.Duration {
	f.t.Helper()
	end := make(chan time.Duration, 1)
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		f.t.Fatalf("cannot find the leader, process %d: %v", pid, err)
	}
	f.errands.Go(func() {
		defer unix.Close(fd)
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if n == 1 {
				end <- boottime()
			}
			return
		}
	})
	return end
}

func boottime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err) // Linux has it since 2.6.39
	}
	return time.Duration(ts.Nano())
}

// fill asks for more ids than there are, which is said. With one to spare a rollout goes to its end, and so does an upgrade.
func (f *faulty) fill() {
	f.t.Helper()
	m := f.mates[f.random.IntN(len(f.mates))]
	m.b.must("scale", "4", "--wait=false")
	f.await("all ids are taken", func() bool {
		p, _ := m.pool()
		return slices.ContainsFunc(p.Claims.Waits, func(why string) bool { return strings.Contains(why, "are all taken") })
	})
	m.b.must("scale", "2")
	m.b.must("roll")
	m.b.must("upgrade")
	f.did["range filled"]++
}

// judge demands that no two ever had the same, and that each holder had a larger fence than the one before it.
func (f *faulty) judge(faults int) {
	f.t.Helper()
	noDoubles(f.t, f.dir)
	uses, leaders, last := f.uses(), 0, map[int]use{}
	const leader = -1
	for _, u := range uses {
		if before := last[u.id]; u.fence < before.fence || u.fence == before.fence && u.who != before.who {
			f.t.Errorf("id %d: the fence of %+v is not larger than that of %+v", u.id, u, last[u.id])
		}
		last[u.id] = u
		if u.leads == 0 {
			continue
		}
		if leaders++; u.leads <= last[leader].leads {
			f.t.Errorf("the leader's fence of %+v is not larger than that of %+v", u, last[leader])
		}
		last[leader] = u
	}
	f.await("the end of all workers", func() bool { return len(workersIn(f.t, f.dir)) == 0 })
	f.t.Logf("seed %d: %d faults %v, %d broods, %d workers, %d of them led", f.seed, faults, f.did, f.begun, len(uses), leaders)
	for name, all := range f.gaps {
		f.t.Logf("without a leader after %s: %v at most (%d times)", name, slices.MaxFunc(all, cmp.Compare), len(all))
	}
}

// workersIn finds the processes of a directory.
func workersIn(t testing.TB, dir string) []int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, link := range all {
		if at, err := os.Readlink(link); err != nil || at != dir { // most are gone, or somebody else's
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
