package supervisor

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// between is a pool whose number of workers follows its load.
func between(p plan.Pool, least, most int) plan.Pool {
	return but(p, func(p *plan.Pool) {
		p.Spec.Workers = least
		p.Autoscale = plan.Autoscale{
			Min: least, Max: most, Queue: 1, CPU: 800, UpAfter: 3 * time.Second, DownAfter: 10 * time.Second,
		}
	})
}

// elastic begins with one, of two to eight workers.
func elastic(w *world) func(*Config) {
	return described(w, desire(listening(webListener()), between(poolNamed("web", "http"), 2, 8)))
}

// workers are how many the pool is to have, and how many serve.
func (s *stage) workers() (desired, ready int) {
	p := s.sup.Snapshot().Pools[0]
	return p.Desired, p.Ready
}

// has demands so many workers, all ready.
func (s *stage) has(want int) {
	s.t.Helper()
	if desired, ready := s.workers(); desired != want || ready != want {
		s.t.Errorf("%d of %d workers serve, want %d", ready, desired, want)
	}
}

func TestWorkersFollowTheQueue(t *testing.T) {
	w := &world{}
	perform(t, w, elastic(w), func(s *stage) {
		s.after(time.Minute)
		s.has(2)
		w.burden(7, 0)
		s.after(3 * time.Second)
		s.has(4) // twice as many at once
		s.after(4 * time.Second)
		s.has(7)
		w.burden(0, 0)
		s.after(time.Minute)
		s.has(2)
		var steps []int
		for _, line := range s.logged("pool scaled") {
			steps = append(steps, int(line["from"].(float64)), int(line["to"].(float64)))
		}
		if want := []int{2, 4, 4, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2}; len(steps) != len(want) || steps[3] != 7 || steps[5] != 6 {
			t.Errorf("steps %v, want %v", steps, want)
		}
		line := s.logged("pool scaled")[0]
		detail := "7 connections queued for 2 ready workers, more than queue = 1 each, for up_after = 3s"
		if line["pool"] != "web" || line["reason"] != "queue" || line["queued"] != 7.0 || line["detail"] != detail {
			t.Errorf("log: %v", line)
		}
		a := s.sup.Snapshot().Pools[0].Autoscale
		if a == nil || a.Min != 2 || a.Max != 8 || a.Reason != "idle" || time.Since(a.Changed) > 20*time.Second || a.Queued != 0 {
			t.Errorf("view: %+v", a)
		}
		for _, at := range []string{"TERM web.6/1", "TERM web.2/1"} {
			if !strings.Contains(strings.Join(w.lines(), "\n"), at) {
				t.Errorf("no %s in %s", at, w.lines())
			}
		}
	})
}

func TestWorkersFollowTheCPU(t *testing.T) {
	w := &world{}
	perform(t, w, elastic(w), func(s *stage) {
		w.burden(0, 900*time.Millisecond)
		s.after(6 * time.Second)
		s.has(3)
		if a := s.sup.Snapshot().Pools[0].Autoscale; a.Reason != "cpu" || !strings.Contains(a.Detail, "more than cpu = 80% each") || a.CPU < 1.79 || a.CPU > 2.71 {
			t.Errorf("view: %+v", a)
		}
		w.burden(0, 600*time.Millisecond) // of each: two would be too busy
		s.after(time.Minute)
		s.has(3)
		w.burden(0, 100*time.Millisecond)
		s.after(time.Minute)
		s.has(2)
	})
}

// Where workers have control groups, these say how busy they are.
func TestWorkersFollowTheCPUOfTheirGroups(t *testing.T) {
	groups := &fakeGroups{}
	perform(t, &world{}, func(c *Config) {
		c.World.Groups = groups
		c.Desired.Pools[0] = between(c.Desired.Pools[0], 2, 8)
	}, func(s *stage) {
		for n := range 8 {
			for slot := range 2 {
				groups.group(slot).uses(cgroup.Usage{CPU: time.Duration(n+1) * 900 * time.Millisecond})
			}
			s.after(time.Second)
		}
		s.has(3)
	})
}

func TestNumberStaysWhileWorkersAreReplaced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		behave func(n int, p *fakeProcess)
		begin  func(s *stage)
	}{
		{"a rollout", func(n int, p *fakeProcess) {
			if n >= 2 {
				p.ready = 20 * time.Second
			}
		}, func(s *stage) { s.ask(Request{Verb: Roll}) }},
		{"a recycling", func(n int, p *fakeProcess) {
			if n == 2 {
				p.ready = 30 * time.Second
			}
		}, func(s *stage) { s.world.process(0).say(handshake.Message{Requests: new(uint64(1000))}) }},
		{"a reload", nil, func(s *stage) {
			s.world.reading = 30 * time.Second
			s.ask(Request{Verb: Reload})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{behave: tt.behave}
			perform(t, w, func(c *Config) {
				elastic(w)(c)
				c.Desired.Pools[0].Recycle.MaxRequests = 1000
			}, func(s *stage) {
				s.after(10 * time.Second)
				tt.begin(s)
				w.burden(100, 0)
				s.after(25 * time.Second)
				if desired, _ := s.workers(); desired != 2 {
					t.Errorf("%d workers meanwhile", desired)
				}
				s.after(2 * time.Minute)
				s.has(8)
				s.checkRest()
			})
		})
	}
}

// Workers that were added are waited for, unless something is wrong with them.
func TestGrowthIsWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		behave func(n int, p *fakeProcess)
		want   int
	}{
		"they start": {func(n int, p *fakeProcess) {
			if n >= 2 {
				p.ready = 30 * time.Second
			}
		}, 4},
		"they die": {func(n int, p *fakeProcess) {
			if n >= 2 {
				p.ready = -1
				time.AfterFunc(time.Millisecond, func() { p.end(worker.Exit{Code: 1}) })
			}
		}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{behave: tt.behave}
			perform(t, w, elastic(w), func(s *stage) {
				s.after(10 * time.Second)
				w.burden(100, 0)
				s.after(20 * time.Second)
				if desired, ready := s.workers(); desired != tt.want || ready != 2 {
					t.Errorf("%d workers, %d ready, want %d", desired, ready, tt.want)
				}
			})
		})
	}
}

// Too much work makes workers fail, and then there have to be more of them; but not fewer.
func TestGrowthWhileWorkersDoNotServe(t *testing.T) {
	sick := func(m *mood) { m.status = 503 }
	for name, fall := range map[string]func(s *stage){
		"unready":  func(s *stage) { s.world.process(1).set(sick) },
		"starting": func(s *stage) { s.world.process(1).end(failure) },
		"nobody is ready": func(s *stage) {
			s.world.process(0).set(sick)
			s.world.process(1).set(sick)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{lanes: true, behave: func(n int, p *fakeProcess) {
				if n == 2 && name == "starting" {
					p.ready = 2 * time.Minute
				}
			}}
			perform(t, w, func(c *Config) {
				elastic(w)(c)
				c.Desired.Pools[0].Spec.ReadyTimeout = 10 * time.Minute
				if name != "starting" { // which would be over with the first answer
					c.Desired.Pools[0].Health.Readiness = often()
				}
			}, func(s *stage) {
				s.after(10 * time.Second)
				fall(s)
				s.after(4 * time.Second)
				w.burden(0, 900*time.Millisecond)
				s.after(5 * time.Second)
				if desired, ready := s.workers(); desired != 3 || ready == 3 {
					t.Errorf("%d of %d workers serve", ready, desired)
				}
				w.burden(0, 0)
				s.after(time.Minute)
				if desired, ready := s.workers(); desired != 3 || ready == 3 {
					t.Errorf("later %d of %d workers serve", ready, desired)
				}
				w.heal()
				s.after(2 * time.Minute)
				s.has(2)
			})
		})
	}
}

// What waits for a worker that is gone waits for its successor, and no other one can help.
func TestQueueOfWorkerThatIsGone(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n == 2 {
			p.ready = 30 * time.Second
		}
	}}
	perform(t, w, elastic(w), func(s *stage) {
		s.after(10 * time.Second)
		w.process(0).end(failure)
		w.burden(100, 0)
		s.after(25 * time.Second)
		if desired, ready := s.workers(); desired != 2 || ready != 1 {
			t.Errorf("%d of %d workers serve", ready, desired)
		}
		s.after(30 * time.Second)
		s.has(8)
	})
}

func TestScaleWithinBounds(t *testing.T) {
	w := &world{}
	perform(t, w, elastic(w), func(s *stage) {
		for _, req := range []Request{{Workers: 9}, {Workers: 1}, {Delta: -1}, {Delta: 7}} {
			req.Verb = Scale
			v := s.ask(req).answer()
			if !errors.Is(v.Err, ErrScale) || !strings.Contains(v.Err.Error(), "follows the load between 2 and 8") {
				t.Errorf("%+v: %v", req, v.Err)
			}
		}
		s.has(2)
		s.signals <- syscall.SIGTTOU
		synctest.Wait()
		s.has(2)
		if len(s.logged("request by signal failed")) != 1 {
			t.Error("nothing says that the signal was refused")
		}
		s.signals <- syscall.SIGTTIN
		synctest.Wait()
		s.has(3)
		v := s.ask(Request{Verb: Scale, Workers: 5}).answer()
		if v.Err != nil || v.Text != "pool web goes to 5 workers; from there the number follows the load, between 2 and 8" {
			t.Errorf("verdict: %+v", v)
		}
		s.after(9 * time.Second) // a new beginning
		s.has(5)
		s.after(30 * time.Second)
		s.has(2)
		if v := s.ask(Request{Verb: Scale, Workers: 3}).answer(); v.Err != nil {
			t.Error(v.Err)
		}
		if a := s.sup.Snapshot().Pools[0].Autoscale; a.Reason != "" || a.Detail != "" || !a.Changed.IsZero() {
			t.Errorf("the load is blamed for somebody's wish: %+v", a)
		}
	})
}

// A reload leaves the number to the load, within the bounds that the file says now.
func TestReloadKeepsTheNumber(t *testing.T) {
	web := poolNamed("web", "http")
	for _, tt := range []struct {
		name string
		to   plan.Pool
		want int
		then int // when nobody waits any more
	}{
		{"another command", newer(between(web, 2, 8)), 6, 2},
		{"bounds round it", between(web, 3, 7), 6, 3},
		{"a lower most", between(web, 1, 4), 4, 1},
		{"a higher least", between(web, 7, 9), 7, 7},
		{"a number", sized(web, 3), 3, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			perform(t, w, elastic(w), func(s *stage) {
				w.burden(6, 0)
				s.after(20 * time.Second)
				s.has(6)
				w.put(desire(listening(webListener()), tt.to), nil)
				a := s.ask(Request{Verb: Reload})
				s.after(30 * time.Second)
				if v := a.answer(); v.Err != nil {
					t.Fatal(v.Err)
				}
				s.has(tt.want)
				w.burden(0, 0)
				s.after(5 * time.Minute)
				s.has(tt.then)
				s.checkRest()
			})
		})
	}
}

// A reload that fails puts back the number that there was, and not the one of the file.
func TestFailedReloadKeepsTheNumber(t *testing.T) {
	w := &world{}
	perform(t, w, elastic(w), func(s *stage) {
		w.burden(6, 0)
		s.after(20 * time.Second)
		s.has(6)
		w.behave = func(n int, p *fakeProcess) {
			if p.env("BROOD_GENERATION") == "2" {
				p.ready = -1
			}
		}
		w.put(desire(listening(webListener()), newer(between(poolNamed("web", "http"), 2, 4))), nil)
		a := s.ask(Request{Verb: Reload})
		s.after(5 * time.Minute)
		if v := a.answer(); !errors.Is(v.Err, ErrReload) {
			t.Errorf("verdict: %+v", v)
		}
		if desired, _ := s.workers(); desired < 4 || desired > 8 {
			t.Errorf("%d workers", desired)
		}
		if a := s.sup.Snapshot().Pools[0].Autoscale; a.Max != 8 {
			t.Errorf("view: %+v", a)
		}
		s.checkRest()
	})
}

// What cannot be had is said once, and the load goes on to be looked at.
func TestNoRoomForWhatTheLoadNeeds(t *testing.T) {
	w := &world{}
	perform(t, w, func(c *Config) {
		c.Desired.Pools[0] = between(c.Desired.Pools[0], 2, 8)
		c.Desired.Pools[0].Spec.LastID = 3 // room for 3 and a surge
	}, func(s *stage) {
		w.burden(4, 0)
		s.after(time.Minute)
		s.has(2)
		if n := len(s.logged("cannot follow the load")); n != 1 {
			t.Errorf("said %d times", n)
		}
		w.burden(3, 0)
		s.after(10 * time.Second)
		s.has(3)
	})
}

func TestNothingToSee(t *testing.T) {
	w := &world{}
	perform(t, w, func(c *Config) {
		c.Desired.Listeners[0].Mode = listener.PerSlot
		c.Desired.Pools[0] = between(c.Desired.Pools[0], 2, 8)
		c.Desired.Pools[0].Autoscale.CPU = 0
	}, func(s *stage) {
		w.burden(100, time.Second)
		s.after(time.Minute)
		s.has(2)
		if n := len(s.logged("the number of workers cannot follow the load: no listener of the pool tells how many wait, and CPU does not count")); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

// Nothing ticks for a pool whose number does not follow its load.
func TestNobodyLooksAtAFixedPool(t *testing.T) {
	w := &world{}
	perform(t, w, nil, func(s *stage) {
		s.after(time.Second)
		changed := s.sup.Changed()
		w.burden(100, time.Second)
		s.after(time.Hour)
		select {
		case <-changed:
			t.Error("something happened")
		default:
		}
		s.has(2)
	})
}
