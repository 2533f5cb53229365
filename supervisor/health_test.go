package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// often is a probe that comes to a verdict within three seconds.
func often() *plan.Probe {
	c := asking("/")
	c.Period = time.Second
	return c
}

// watched is a pool of so many workers whose traces take two seconds.
func watched(workers int, change func(*plan.Pool)) func(*Config) {
	return func(c *Config) {
		p := &c.Desired.Pools[0]
		p.Spec.Workers, p.Spec.Trace = workers, 2*time.Second
		change(p)
	}
}

// aborts makes processes dump their stacks and die of SIGABRT.
func aborts(_ int, p *fakeProcess) { p.aborts = true }

func (s *stage) worker(i int) WorkerView { return s.sup.Snapshot().Pools[0].Workers[i] }

// checkDeaths compares the causes of the deaths that were logged.
func (s *stage) checkDeaths(want ...Cause) {
	s.t.Helper()
	var got []Cause
	counted := map[Cause]int{}
	for _, line := range s.logged("worker died") {
		got = append(got, Cause(line["cause"].(string)))
	}
	for _, c := range want {
		counted[c]++
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("deaths: %v, want %v", got, want)
	}
	if got := s.sup.Snapshot().Pools[0].Deaths; fmt.Sprint(got) != fmt.Sprint(counted) {
		s.t.Errorf("deaths that were counted: %v, want %v", got, counted)
	}
}

func TestWorkerThatIsNotReadyIsSteeredAwayFromAndKept(t *testing.T) {
	w := &world{lanes: true}
	perform(t, w, watched(2, func(p *plan.Pool) { p.Health.Readiness = often() }), func(s *stage) {
		s.after(time.Minute)
		begin := len(w.lines())
		w.process(1).set(func(m *mood) { m.status = 503 })
		s.after(4 * time.Second)
		s.wantFrom(begin, "steer 0a")
		v, pool := s.worker(1), s.sup.Snapshot().Pools[0]
		if v.State != "unready" || v.Ready || v.Health != "readiness: status 503 (no body) 3 times in a row" || pool.State != StateDegraded {
			t.Errorf("worker: %+v, pool: %s", v, pool.State)
		}
		if want := "1/2 ready, 1 not working (slot 1: readiness: status 503 (no body) 3 times in a row)"; s.summary() != want {
			t.Errorf("summary: %s", s.summary())
		}
		w.process(1).set(func(m *mood) { m.status = 0 })
		s.after(time.Second)
		s.wantFrom(begin, "steer 0a", "steer 0a 1a")
		if v := s.worker(1); v.State != "ready" || v.Health != "" || len(s.logged("worker works again")) != 1 {
			t.Errorf("worker: %+v", v)
		}
		s.checkDeaths()
	})
}

func TestWorkerThatIsNotLiveIsTracedAndReplaced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		behave func(int, *fakeProcess)
		diary  []string
	}{
		{"one that obeys", aborts, []string{"steer 0a", "ABRT 101", "end 101", "start 102", "steer 0a 1a"}},
		{"one that does not", nil, []string{"steer 0a", "ABRT 101", "group KILL 101", "end 101", "start 102", "steer 0a 1a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{lanes: true, behave: tt.behave}
			perform(t, w, watched(2, func(p *plan.Pool) { p.Health.Liveness = often() }), func(s *stage) {
				s.after(time.Minute)
				begin := len(w.lines())
				w.process(1).set(func(m *mood) { m.status = -1 })
				s.after(10 * time.Second)
				s.wantFrom(begin, tt.diary...)
				s.checkDeaths(CauseProbe)
				death := s.logged("worker died")[0]
				if death["detail"] != "liveness: no answer within 1s 3 times in a row" || len(s.logged("worker does not work, asked for a trace")) != 1 {
					t.Errorf("death: %v", death)
				}
				if v := s.worker(1); v.PID != 102 || !strings.HasPrefix(v.LastExit, "probe: ") || v.Restarts != 1 {
					t.Errorf("worker: %+v", v)
				}
			})
		})
	}
}

// An outside failure that no restart cures costs one worker at a time, and is said.
func TestFailureOfAllWorkersIsNoStorm(t *testing.T) {
	w := &world{lanes: true, behave: aborts}
	perform(t, w, watched(4, func(p *plan.Pool) {
		p.Health.Liveness = often()
		p.Spec.Backoff.GiveUpAfter = 0
	}), func(s *stage) {
		s.after(time.Minute)
		w.behave = func(n int, p *fakeProcess) {
			broken(n, p)
			aborts(n, p)
			p.ready = 10 * time.Second
		}
		for i := range 4 {
			w.process(i).set(func(m *mood) { m.status = 503 })
		}
		s.after(3500 * time.Millisecond)
		failing := 0
		for i := range 4 {
			if v := s.worker(i); v.State == "failing" && v.Health != "" {
				failing++
			}
		}
		if failing != 3 {
			t.Errorf("%d of 4 wait for their turn: %s", failing, s.summary())
		}
		if n := len(s.logged("worker does not work, and stays for now, because others are being replaced")); n < 3 {
			t.Errorf("%d lines about those that stay", n)
		}
		s.after(time.Hour)
		if n := len(s.logged("worker died")); n > 600 {
			t.Errorf("%d deaths within an hour", n)
		}
		w.behave = aborts
		for _, p := range w.living() {
			p.set(func(m *mood) { m.status = 0 })
		}
		s.after(5 * time.Minute)
		if s.summary() != "4/4 ready" {
			t.Errorf("when it is over: %s", s.summary())
		}
	})
}

// Liveness does not begin before the worker has been ready once.
func TestLivenessWaitsForReadiness(t *testing.T) {
	w := &world{lanes: true, behave: func(_ int, p *fakeProcess) { p.ready, p.mood.status = 30*time.Second, 503 }}
	perform(t, w, watched(1, func(p *plan.Pool) { p.Health.Liveness = often() }), func(s *stage) {
		s.after(29 * time.Second)
		w.process(0).set(func(m *mood) { m.status = 0 })
		s.after(time.Minute)
		s.want("start 100", "steer 0a")
	})
}

func TestWatchdog(t *testing.T) {
	alive := func(p *fakeProcess, d time.Duration) {
		for range d / time.Second {
			time.AfterFunc(0, func() { p.say(handshake.Message{Watchdog: true}) })
		}
	}
	limited := watched(1, func(p *plan.Pool) {
		p.Health.Watchdog, p.Listen = 5*time.Second, nil
	})
	t.Run("kept by what it says, and replaced in silence", func(t *testing.T) {
		w := &world{behave: aborts}
		perform(t, w, limited, func(s *stage) {
			p := w.process(0)
			if got := p.env("WATCHDOG_USEC"); got != "5000000" || !p.cmd.ListenPID {
				t.Errorf("WATCHDOG_USEC=%s, ListenPID %t", got, p.cmd.ListenPID)
			}
			for range 10 {
				s.after(4 * time.Second)
				alive(p, time.Second)
			}
			s.after(5*time.Second - time.Millisecond)
			s.want("start 100")
			s.after(10 * time.Millisecond)
			s.want("start 100", "ABRT 100", "end 100", "start 101")
			s.checkDeaths(CauseWatchdog)
			if got := s.logged("worker died")[0]["detail"]; got != "no WATCHDOG=1 for 5s, after 10 of them" {
				t.Errorf("detail: %s", got)
			}
		})
	})
	t.Run("asked for", func(t *testing.T) {
		w := &world{behave: aborts}
		perform(t, w, watched(1, func(*plan.Pool) {}), func(s *stage) {
			w.process(0).say(handshake.Message{WatchdogTrigger: true})
			s.after(time.Second)
			s.checkDeaths(CauseWatchdog)
		})
	})
	t.Run("asked for by one that starts", func(t *testing.T) {
		w := &world{behave: func(n int, p *fakeProcess) { p.ready = time.Duration(n) - 1 }}
		perform(t, w, watched(1, func(*plan.Pool) {}), func(s *stage) {
			w.process(0).say(handshake.Message{WatchdogTrigger: true})
			s.after(time.Second)
			s.checkDeaths(CauseWatchdog)
			const asked = "the worker asked for it with WATCHDOG=trigger"
			told, died := s.logged("worker told to leave")[0], s.logged("worker died")[0]
			if told["detail"] != asked || died["detail"] != asked || s.worker(0).LastExit != "watchdog: exit 0; "+asked {
				t.Errorf("told to leave: %v, death: %v, %s", told, died, s.worker(0).LastExit)
			}
		})
	})
	t.Run("told to leave", func(t *testing.T) {
		w := &world{behave: func(_ int, p *fakeProcess) { p.drain = 20 * time.Second }}
		perform(t, w, limited, func(s *stage) {
			s.signals <- syscall.SIGTERM
			s.after(time.Minute)
			s.checkDeaths(CauseStopped)
		})
	})
}

// A worker that a rollout had steered away from is taken back when that fails, but not into service if it is not ready.
func TestWorkerThatIsTakenBackIsNotReadyIfItsProbeSaysSo(t *testing.T) {
	w := &world{lanes: true}
	perform(t, w, watched(2, func(p *plan.Pool) {
		p.Health.Readiness = often()
		p.Spec.Settle, p.Spec.MinReady = time.Minute, 0
	}), func(s *stage) {
		s.after(10 * time.Second)
		w.behave = func(n int, p *fakeProcess) {
			if n == 3 {
				time.AfterFunc(20*time.Second, func() { p.end(worker.Exit{Code: 1}) })
				p.mood.status = 503
			}
		}
		s.ask(Request{Verb: Roll})
		s.after(time.Second) // slot 0 has its successor, and its incumbent settles
		w.process(0).set(func(m *mood) { m.status = 503 })
		s.after(10 * time.Second)
		s.ask(Request{Verb: Roll, Abort: true})
		s.after(time.Second)
		for _, v := range s.sup.Snapshot().Pools[0].Workers {
			if v.PID == 100 && v.State != "unready" {
				t.Errorf("worker that was taken back: %+v", v)
			}
		}
	})
}

// A rollout fails of a worker that stops working before it has proved itself, and says how.
func TestRolloutFailsOfAWorkerThatStopsWorking(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*plan.Pool)
		says   string
	}{
		{"unready", func(p *plan.Pool) { p.Health.Readiness = often() }, "readiness: status 503 (no body) 3 times in a row"},
		{"failing", func(p *plan.Pool) { p.Health.Liveness = often() }, "liveness: status 503 (no body) 3 times in a row"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{lanes: true}
			perform(t, w, watched(2, func(p *plan.Pool) {
				tt.change(p)
				p.Spec.MinReady = time.Minute
			}), func(s *stage) {
				s.after(10 * time.Second)
				roll := s.ask(Request{Verb: Roll})
				s.after(10 * time.Second)
				w.process(2).set(func(m *mood) { m.status = 503 })
				s.after(time.Minute)
				v := roll.answer()
				if v.Err == nil || !strings.Contains(v.Err.Error(), "worker web.0 (pid 102) stopped working 1") || !strings.HasSuffix(v.Err.Error(), tt.says+": rollout failed") {
					t.Errorf("verdict: %v", v.Err)
				}
				s.after(time.Minute)
				if s.summary() != "2/2 ready, rollout of generation 2 failed: "+s.sup.pools[0].last.Reason || w.process(0).gone() {
					t.Errorf("after that: %s", s.summary())
				}
			})
		})
	}
}

// So it does of one that gives up while it starts.
func TestRolloutFailsOfAWorkerThatGivesUp(t *testing.T) {
	w := &world{}
	perform(t, w, nil, func(s *stage) {
		w.behave = func(_ int, p *fakeProcess) { p.ready = -1 }
		roll := s.ask(Request{Verb: Roll})
		w.process(2).say(handshake.Message{WatchdogTrigger: true})
		s.after(time.Second)
		const says = "worker web.0 (pid 102) gave up before it was ready: the worker asked for it with WATCHDOG=trigger: rollout failed"
		if v := roll.answer(); v.Err == nil || !strings.HasSuffix(v.Err.Error(), says) {
			t.Errorf("verdict: %v", v.Err)
		}
	})
}

// A reload that changes the probes alone is for those that run.
func TestReloadOfProbes(t *testing.T) {
	w := &world{lanes: true, behave: func(n int, p *fakeProcess) { aborts(n, p); broken(n, p) }}
	a := poolNamed("a", "http")
	d := func(p plan.Pool) plan.Desired { return desire(listening(webListener()), sized(p, 1)) }
	perform(t, w, described(w, d(a)), func(s *stage) {
		s.after(time.Minute)
		begin := len(w.lines())
		w.put(d(but(a, func(p *plan.Pool) { p.Health.Readiness = often() })), nil)
		s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := s.worker(0); v.State != "unready" {
			t.Errorf("with a readiness probe: %+v", v)
		}
		w.put(d(a), nil)
		s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := s.worker(0); v.State != "ready" {
			t.Errorf("without one: %+v", v)
		}
		for _, line := range w.lines()[begin:] {
			if strings.Contains(line, "start") || strings.Contains(line, "TERM") {
				t.Errorf("%s", line)
			}
		}
		s.checkRest()
	})
}

// What is counted goes on through reloads, however many there are, that change something else.
func TestReloadOfSomethingElseForgivesNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*plan.Pool)
		want   []Cause
	}{
		{"liveness", func(p *plan.Pool) { p.Health.Liveness = asking("/") }, []Cause{CauseProbe}},
		{"watchdog", func(p *plan.Pool) { p.Health.Watchdog = 20 * time.Second }, []Cause{CauseWatchdog}},
		{"delay", func(p *plan.Pool) { p.Ready = worker.Readiness{Kind: worker.ReadyDelay, Delay: 25 * time.Second} }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{lanes: true, behave: func(n int, p *fakeProcess) { aborts(n, p); broken(n, p) }}
			a := but(poolNamed("a", "http"), tt.change)
			d := func(p plan.Pool) plan.Desired { return desire(listening(webListener()), sized(p, 1)) }
			perform(t, w, described(w, d(a)), func(s *stage) {
				for i := range time.Duration(6) {
					w.put(d(but(a, func(p *plan.Pool) { p.Spec.Grace += (i + 1) * time.Second })), nil)
					s.ask(Request{Verb: Reload})
					s.after(6 * time.Second)
				}
				s.checkDeaths(tt.want...)
				if tt.want == nil && s.worker(0).State != "ready" {
					t.Errorf("%+v", s.worker(0))
				}
			})
		})
	}
}

// What a worker has said of itself stands after a reload, also where no watchdog could find it.
func TestTriggerStandsAfterAReload(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if aborts(n, p); n == 2 {
			p.ready = 30 * time.Second
		}
	}}
	a := poolNamed("a")
	perform(t, w, described(w, desire(nil, a)), func(s *stage) {
		s.after(2 * time.Minute)
		for n := range 2 {
			w.process(n).say(handshake.Message{WatchdogTrigger: true})
		}
		s.after(time.Second) // one is replaced, and the other one waits for that
		w.put(desire(nil, but(a, func(p *plan.Pool) { p.Health.Hang = time.Minute })), nil)
		s.ask(Request{Verb: Reload})
		s.after(time.Second)
		if v := s.worker(1); v.State != "failing" || v.Health != "the worker asked for it with WATCHDOG=trigger" {
			t.Errorf("after the reload: %+v", v)
		}
		s.after(time.Minute)
		s.checkDeaths(CauseWatchdog, CauseWatchdog)
	})
}

// A worker may be told to leave for a reason of its own while it does not work: that is no death of its illness.
func TestStoppedWorkerThatDoesNotWork(t *testing.T) {
	w := &world{lanes: true}
	perform(t, w, watched(2, func(p *plan.Pool) { p.Health.Readiness = often() }), func(s *stage) {
		w.process(0).set(func(m *mood) { m.status = 503 })
		s.after(10 * time.Second)
		s.signals <- syscall.SIGTERM
		s.after(time.Minute)
		for _, death := range s.logged("worker died") {
			if death["cause"] != "stopped" {
				t.Errorf("death: %v", death)
			}
		}
	})
}

func TestWorstComplaintIsTheOldestOneThatCounts(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	h := health{}
	if h.fitness() != fit || h.worst().detail != "" {
		t.Errorf("of nothing: %+v", h.worst())
	}
	h.wrong[byReadiness] = complaint{CauseProbe, "readiness", at(1)}
	if h.fitness() != unready || h.worst().detail != "readiness" {
		t.Errorf("unready: %+v", h.worst())
	}
	h.wrong[byHang] = complaint{CauseHang, "hang", at(3)}
	h.wrong[byWatchdog] = complaint{CauseWatchdog, "watchdog", at(2)}
	if h.fitness() != failing || h.worst().cause != CauseWatchdog {
		t.Errorf("failing: %+v", h.worst())
	}
}

// Each probe of each worker begins at another time of its period.
func TestProbesAreSpread(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		seen := map[time.Duration]bool{}
		for slot := range 100 {
			for _, by := range []sense{byReadiness, byLiveness} {
				seen[probe.Spread(s.sup.pools[0].spread(slot, by), 10*time.Second).Round(time.Millisecond)] = true
			}
		}
		if len(seen) < 190 {
			t.Errorf("200 probes begin at %d times", len(seen))
		}
	})
}

func TestStartupThatTakesTooLongIsGivenUp(t *testing.T) {
	w := &world{lanes: true, behave: broken}
	change := single(func(p *plan.Pool) {
		c := asking("/")
		c.InitialDelay, c.Period, c.FailureThreshold = time.Second, 2*time.Second, 4
		p.Health.Startup = c
	})
	perform(t, w, change, func(s *stage) {
		s.after(9*time.Second - time.Millisecond)
		s.want("start 100")
		s.after(2 * time.Millisecond)
		s.want("start 100", "TERM 100", "start 101", "end 100")
		deaths := s.logged("worker died")
		if len(deaths) != 1 || deaths[0]["cause"] != "never_ready" || deaths[0]["probe"] != "startup: status 503 (no body)" {
			t.Errorf("deaths: %v", deaths)
		}
		v := s.sup.Snapshot().Pools[0]
		if v.Deaths[CauseNeverReady] != 1 || !strings.HasPrefix(v.Workers[0].LastExit, "never_ready: ") {
			t.Errorf("pool: %+v", v)
		}
	})
}
