package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/worker"
)

// fakeGroups are control groups that exist in words alone.
type fakeGroups struct {
	mu      sync.Mutex
	made    []*fakeGroup
	lacks   []*cgroup.Missing
	forgot  []string
	strains int           // how often the pressure was read
	slow    time.Duration // what it takes to forget a pool
}

type fakeGroup struct {
	*fakeGroups
	name  string
	hit   func()
	usage cgroup.Usage
	gone  bool
	stuck time.Duration // what it takes to read its usage
}

func (f *fakeGroups) Group(pool, name string, _ cgroup.Limits, hit func()) Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := &fakeGroup{fakeGroups: f, name: pool + "/" + name, hit: hit}
	f.made = append(f.made, g)
	return g
}

func (f *fakeGroups) Adopt(pool, name string, l cgroup.Limits, hit func(), _ cgroup.HandedGroup) (Group, error) {
	return f.Group(pool, name, l, hit), nil
}

func (f *fakeGroups) Missing(cgroup.Limits) []*cgroup.Missing { return f.lacks }

func (f *fakeGroups) Pressure(string) (cgroup.Strain, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.strains++
	return cgroup.Strain{CPU: cgroup.Pressure{Some: cgroup.Share{Avg10: 12.5}}}, nil
}

func (f *fakeGroups) Forget(pool string) {
	if f.slow > 0 {
		<-time.After(f.slow)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgot = append(f.forgot, pool)
}

func (f *fakeGroups) group(n int) *fakeGroup {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[n]
}

func (g *fakeGroup) Make(func()) (int, error)         { return -1, nil }
func (g *fakeGroup) Watch(func())                     {}
func (g *fakeGroup) Open() (int, error)               { return -1, os.ErrNotExist }
func (g *fakeGroup) Hand() cgroup.HandedGroup         { return cgroup.HandedGroup{} }
func (g *fakeGroup) Empty() bool                      { return true }
func (g *fakeGroup) Signal(syscall.Signal, int) error { return os.ErrProcessDone }
func (g *fakeGroup) Remove()                          {}
func (g *fakeGroup) OOM() cgroup.Usage                { return g.used() }
func (g *fakeGroup) CPU() time.Duration               { return g.used().CPU }

func (g *fakeGroup) Usage() (cgroup.Usage, bool) {
	g.mu.Lock()
	stuck := g.stuck
	g.mu.Unlock()
	<-time.After(stuck)
	return g.used(), !g.gone
}

// hang makes reads of its usage take a while.
func (g *fakeGroup) hang(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuck = d
}

func (g *fakeGroup) used() cgroup.Usage {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.usage
}

func (g *fakeGroup) uses(u cgroup.Usage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.usage = u
}

func limited(groups *fakeGroups) func(*Config) {
	return func(c *Config) {
		c.World.Groups = groups
		c.Desired.Pools[0].Cgroup = cgroup.Limits{MemoryMax: 50 << 20, PidsMax: 20}
	}
}

func TestDeathForTheWantOfMemory(t *testing.T) {
	killed := worker.Exit{Code: worker.CodeUnknown, Signal: syscall.SIGKILL}
	for name, tc := range map[string]struct {
		usage         cgroup.Usage
		exit          worker.Exit
		cause, detail string
		ofItsOwn      int // lines about a process of a worker that ended otherwise
	}{
		"its limit":   {cgroup.Usage{OOMs: 1, Killed: 3, MemoryPeak: 50 << 20}, killed, "oom", "memory_max of 50MiB reached, at most 50MiB used", 0},
		"the machine": {cgroup.Usage{Killed: 1}, killed, "oom", "memory was at its end outside of the worker", 0},
		"a child":     {cgroup.Usage{OOMs: 1, Killed: 1}, worker.Exit{Code: 1}, "died", "", 1},
		"not at all":  {cgroup.Usage{MemoryPeak: 1 << 20}, killed, "died", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			groups := &fakeGroups{}
			w := &world{}
			perform(t, w, limited(groups), func(s *stage) {
				s.after(time.Second)
				groups.group(0).uses(tc.usage)
				w.process(0).end(tc.exit)
				s.after(time.Second)
				deaths := s.logged("worker died")
				detail := any(tc.detail)
				if tc.detail == "" {
					detail = nil // the field is left out
				}
				if len(deaths) != 1 || deaths[0]["cause"] != tc.cause || deaths[0]["detail"] != detail {
					t.Errorf("deaths: %v", deaths)
				}
				if tc.detail != "" && !strings.Contains(s.sup.Snapshot().Pools[0].Workers[0].LastExit, tc.detail) {
					t.Errorf("the last exit was %q", s.sup.Snapshot().Pools[0].Workers[0].LastExit)
				}
				if n := len(s.logged("worker had a process killed by the kernel: out of memory")); n != tc.ofItsOwn {
					t.Errorf("%d lines about a process of it", n)
				}
			})
		})
	}
}

func TestGroupsOfWorkersHaveNamesOfTheirOwn(t *testing.T) {
	groups := &fakeGroups{}
	w := &world{}
	perform(t, w, limited(groups), func(s *stage) {
		s.after(time.Second)
		w.process(1).end(worker.Exit{Code: 1})
		s.after(time.Second)
		var names []string
		for _, g := range groups.made {
			names = append(names, g.name)
		}
		if want := []string{"web/0-a-1", "web/1-a-2", "web/1-a-3"}; !slices.Equal(names, want) {
			t.Errorf("groups: %q", names)
		}
		groups.group(2).hit()
		if hits := s.logged("worker wanted more processes than it may have"); len(hits) != 1 || hits[0]["slot"] != 1.0 || hits[0]["limit"] != 20.0 {
			t.Errorf("said: %v", hits)
		}
	})
	if !slices.Equal(groups.forgot, []string{"web"}) {
		t.Errorf("forgotten at the end: %q", groups.forgot)
	}
}

// The kernel may take its time to remove a directory; nobody waits for it.
func TestForgettingAPoolDoesNotHoldTheLoop(t *testing.T) {
	w, groups := &world{}, &fakeGroups{slow: time.Minute}
	both := desire(nil, sized(poolNamed("a"), 1), sized(poolNamed("b"), 1))
	before := func(c *Config) {
		described(w, both)(c)
		c.World.Groups = groups
	}
	perform(t, w, before, func(s *stage) {
		w.put(desire(nil, sized(poolNamed("a"), 1)), nil)
		removal := s.ask(Request{Verb: Reload})
		s.after(2 * time.Second)
		if v := removal.answer(); v.Err != nil {
			t.Error(v.Err)
		}
		w.put(both, nil)
		back := s.ask(Request{Verb: Reload})
		s.after(2 * time.Second)
		if v := back.answer(); v.Err != nil || len(w.living()) != 2 {
			t.Errorf("%v, %d workers", v.Err, len(w.living()))
		}
		s.after(time.Minute)
		if !slices.Equal(groups.forgot, []string{"b"}) {
			t.Errorf("forgotten: %q", groups.forgot)
		}
		groups.slow = 0
	})
}

func TestLimitsThatDoNotHoldAreSaidOnce(t *testing.T) {
	said := func(s *stage) string {
		var all []string
		for _, line := range s.logged("limits do not hold: there are no control groups for them") {
			all = append(all, fmt.Sprint(line["level"], line["limits"], line["missing"]))
		}
		return strings.Join(all, "\n")
	}
	memory := &cgroup.Missing{What: "the memory controller", Words: []string{"memory_max"}}
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"a controller": {limited(&fakeGroups{lacks: []*cgroup.Missing{memory}}), "warn[memory_max] [missing: the memory controller]"},
		"nothing":      {limited(&fakeGroups{}), ""},
		"all": {func(c *Config) {
			limited(nil)(c)
			c.World.Groups, c.World.NoGroups = nil, fmt.Errorf("cannot: %w", &cgroup.Missing{What: "a mount of cgroup v2"})
			c.Desired.Pools = append(c.Desired.Pools, c.Desired.Pools[0])
			c.Desired.Pools[1].Name, c.Desired.Pools[1].Listen = "jobs", nil
		}, "warn[memory_max pids_max] [missing: a mount of cgroup v2]"},
		"a fault": {func(c *Config) {
			limited(nil)(c)
			c.World.Groups, c.World.NoGroups = nil, syscall.EIO
		}, "warn[memory_max pids_max] [missing: control groups: input/output error]"},
		"unasked": {func(c *Config) { c.World.NoGroups = memory }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			perform(t, &world{}, tc.change, func(s *stage) {
				s.after(time.Second)
				if got := said(s); got != tc.want {
					t.Errorf("said %q, want %q", got, tc.want)
				}
			})
		})
	}
}

// What a worker that obeyed leaves behind outside of its process group has not heard of the stop.
func TestStraysAreToldToLeave(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.remains = true }}
	perform(t, w, limited(&fakeGroups{}), func(s *stage) {
		s.after(time.Second)
		s.signals <- syscall.SIGTERM
		s.after(2 * time.Second)
		if got := s.world.lines(); !slices.Contains(got, "SIGTERM strays of 100") || slices.Contains(got, "group TERM 100") {
			t.Errorf("diary: %q", got)
		}
		w.process(0).cmd.OnGone()
		w.process(1).cmd.OnGone()
	})
}
