package supervisor

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// scales is what the processes of a fake world weigh.
type scales struct {
	mu      sync.Mutex
	looks   int           // at the processes
	slow    time.Duration // what one takes
	failing error
	files   int // that each tree has open
	ports   []int
	counted []int // whose connections were counted, in order
	blind   error // why connections cannot be counted
}

func (s *scales) census(pids []int) (map[int]worker.Household, error) {
	s.mu.Lock()
	s.looks++
	slow, failing, files := s.slow, s.failing, s.files
	s.mu.Unlock()
	<-time.After(slow)
	found := map[int]worker.Household{}
	for _, pid := range pids {
		found[pid] = worker.Household{
			Members: []int{pid},
			Use:     worker.Use{Memory: uint64(pid) << 20, CPU: time.Duration(pid) * time.Second, Processes: 2, Files: files},
		}
	}
	return found, failing
}

func (s *scales) connected(ports []int) (func([]int) (int, error), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports = ports
	return func(members []int) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.counted = append(s.counted, members...)
		return 1000 + members[0], s.blind
	}, nil
}

// takeCounted returns whose connections were counted since the last time.
func (s *scales) takeCounted() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.counted = nil }()
	return s.counted
}

// set changes what the processes weigh from now on.
func (s *scales) set(change func(*scales)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *scales) in(more func(*Config)) func(*Config) {
	return func(c *Config) {
		c.World.Census, c.World.Connected = s.census, s.connected
		if more != nil {
			more(c)
		}
	}
}

func (s *scales) checkLooks(t *testing.T, want int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looks != want {
		t.Errorf("looked %d times, want %d", s.looks, want)
	}
}

func TestFiguresOfProcessesAndSockets(t *testing.T) {
	w, meter := &world{}, &scales{files: 9}
	perform(t, w, meter.in(nil), func(s *stage) {
		w.process(1).set(func(m *mood) { m.queue = 3 })
		s.after(time.Hour)
		meter.checkLooks(t, 0)
		pool := s.sup.Snapshot().Pools[0]
		second := pool.Workers[1]
		if u := second.Usage; u == nil || *u != (UsageView{Memory: 101 << 20, CPU: 101, Pids: 2, FDs: 9}) {
			t.Errorf("usage %+v", u)
		}
		if q := second.Queue; q == nil || *q != (QueueView{Depth: 3, Capacity: 511}) {
			t.Errorf("queue %+v", q)
		}
		if n := second.Connections; n == nil || *n != 1101 || !slices.Equal(meter.ports, []int{80}) {
			t.Errorf("connections %v of ports %d", n, meter.ports)
		}
		if q := pool.Listeners[0].Queue; q == nil || *q != (QueueView{Capacity: 511, Drops: 7}) {
			t.Errorf("queue of the listener %+v", q)
		}
		if published := s.sup.snapshot.Load().Pools[0]; published.Listeners[0].Queue != nil || published.Workers[0].Usage != nil {
			t.Error("what was published has changed")
		}
	})
}

// Only a worker's own sockets are its queue, and those that do not tell are left out.
func TestQueuesOfSharedSockets(t *testing.T) {
	for mode, tells := range map[listener.Mode]bool{listener.Shared: true, listener.PerSlot: false} {
		perform(t, &world{}, func(c *Config) { c.Desired.Listeners[0].Mode = mode }, func(s *stage) {
			pool := s.sup.Snapshot().Pools[0]
			if q := pool.Workers[0].Queue; q != nil {
				t.Errorf("%s: queue %+v", mode, q)
			}
			if q := pool.Listeners[0].Queue; (q != nil) != tells {
				t.Errorf("%s: queue of the listener %+v", mode, q)
			}
		})
	}
}

// What a control group does not tell is told by the processes.
func TestFiguresOfGroups(t *testing.T) {
	groups, meter := &fakeGroups{}, &scales{files: 9}
	perform(t, &world{}, meter.in(limited(groups)), func(s *stage) {
		groups.group(0).uses(cgroup.Usage{Memory: 7, MemoryPeak: 8, CPU: 1500 * time.Millisecond, Pids: 30})
		groups.group(1).gone = true // or could not be made
		p := s.sup.Snapshot().Pools[0]
		if u := p.Workers[0].Usage; u == nil || *u != (UsageView{Memory: 7, MemoryPeak: 8, CPU: 1.5, Pids: 2, FDs: 9}) {
			t.Errorf("usage %+v", u)
		}
		if u := p.Workers[1].Usage; u == nil || *u != (UsageView{Memory: 101 << 20, CPU: 101, Pids: 2, FDs: 9}) {
			t.Errorf("without a group: usage %+v", u)
		}
		if p.Pressure == nil || p.Pressure.CPU.Some10 != 12.5 {
			t.Errorf("pressure %+v", p.Pressure)
		}
	})
}

// However many ask, and however often: there is a look every two seconds at most, and none that nobody asked for.
func TestAskersShareALook(t *testing.T) {
	meter := &scales{slow: 100 * time.Millisecond}
	perform(t, &world{}, meter.in(nil), func(s *stage) {
		begin := time.Now()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if u := s.sup.Measured().Pools[0].Workers[0].Usage; u == nil {
					t.Error("who waits gets nothing")
				}
			})
		}
		all.Wait()
		if took := time.Since(begin); took != meter.slow {
			t.Errorf("it took %v", took)
		}
		meter.checkLooks(t, 1)
		s.after(gaugeAge - 1)
		_ = s.sup.Snapshot()
		synctest.Wait()
		meter.checkLooks(t, 1)
		s.after(1)
		for range 3 {
			_ = s.sup.Snapshot()
		}
		meter.checkLooks(t, 2)
		s.after(time.Hour)
		meter.checkLooks(t, 2)
	})
}

// Who does not want to wait gets the figures of the last look, while they are not too old.
func TestSnapshotDoesNotWaitForFigures(t *testing.T) {
	meter := &scales{slow: time.Second}
	perform(t, &world{}, meter.in(nil), func(s *stage) {
		snapshot := func(measured bool) {
			t.Helper()
			begin := time.Now()
			snap := s.sup.Snapshot()
			if took := time.Since(begin); took > gaugePatience {
				t.Errorf("it took %v", took)
			}
			if got := snap.Pools[0].Workers[0].Usage != nil; got != measured {
				t.Errorf("measured: %t, want %t", got, measured)
			}
		}
		snapshot(false)
		s.after(meter.slow)
		snapshot(true)
		s.after(gaugeAge)
		snapshot(true)
		s.after(gaugeStale + time.Second)
		snapshot(false)
		meter.set(func(m *scales) { m.failing = errors.New("no /proc") })
		s.after(meter.slow + gaugeAge)
		snapshot(true) // what the look before has seen
		s.after(meter.slow)
		snapshot(false)
	})
}

// A file that hangs takes nothing from the figures of other files, and nobody asks for it again.
func TestALookThatHangs(t *testing.T) {
	groups, meter := &fakeGroups{}, &scales{}
	perform(t, &world{}, meter.in(limited(groups)), func(s *stage) {
		groups.group(0).uses(cgroup.Usage{CPU: time.Second})
		check := func(want float64) {
			t.Helper()
			if u := s.sup.Snapshot().Pools[0].Workers[0].Usage; u == nil || u.CPU != want {
				t.Errorf("usage %+v, want %v s", u, want)
			}
		}
		check(1)
		s.after(gaugeAge)
		groups.group(0).hang(time.Minute)
		check(1)
		for range 3 {
			s.after(gaugeAge)
			_ = s.sup.Snapshot()
		}
		meter.checkLooks(t, 5)
		s.after(gaugeStale)
		check(100) // by its processes
		s.after(time.Minute)
	})
}

// The descriptors of many are looked at by turns.
func TestConnectionsAreCountedByTurns(t *testing.T) {
	meter := &scales{files: fdsAtOnce/2 - 1}
	perform(t, &world{}, meter.in(watched(4, func(*plan.Pool) {})), func(s *stage) {
		for i, tt := range []struct {
			pause   time.Duration
			counted []int
			known   int
		}{
			{0, []int{100, 101}, 2},
			{gaugeAge, []int{102}, 3}, // which takes more than what has come back since
			{gaugeAge, nil, 3},
			{gaugeAge, []int{103}, 4},
			{time.Minute, []int{100, 101}, 4},
			{time.Hour, []int{102, 103}, 2}, // what the others had is too old
		} {
			s.after(tt.pause)
			snap := s.sup.Snapshot()
			known := 0
			for _, w := range snap.Pools[0].Workers {
				if w.Connections != nil {
					known++
				}
			}
			if got := meter.takeCounted(); !slices.Equal(got, tt.counted) || known != tt.known {
				t.Errorf("look %d: counted %d, known %d, want %d, %d", i, got, known, tt.counted, tt.known)
			}
		}
		meter.set(func(m *scales) { m.files = fdsAtOnce + 1 })
		s.after(time.Hour)
		if n := s.sup.Snapshot().Pools[0].Workers[0].Connections; n != nil || meter.takeCounted() != nil {
			t.Errorf("of one with too many descriptors: %d", n)
		}
		meter.set(func(m *scales) { m.files, m.blind = 1, errors.New("another user's") })
		s.after(gaugeAge)
		if n := s.sup.Snapshot().Pools[0].Workers[0].Connections; n != nil || len(meter.takeCounted()) != 4 {
			t.Errorf("of one that cannot be seen: %d", n)
		}
	})
}

// Whoever asks after the end gets the last picture, and begins nothing.
func TestNothingIsMeasuredAfterTheEnd(t *testing.T) {
	meter := &scales{}
	var sup *Supervisor
	perform(t, &world{}, meter.in(nil), func(s *stage) { sup = s.sup })
	if snap := sup.Measured(); snap.State != StateStopping {
		t.Errorf("state %s", snap.State)
	}
	meter.checkLooks(t, 0)
}
