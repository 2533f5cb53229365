package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// A machine that has no descriptor left must not take the workers with it that it has.
func TestWorkerThatCannotBePreparedIsADeathLikeAnyOther(t *testing.T) {
	for _, missing := range []string{"notify", "output"} {
		t.Run(missing, func(t *testing.T) {
			perform(t, &world{}, func(c *Config) {
				c.Desired.Pools[0].Spec.Workers = 1
				if missing == "notify" {
					c.World.OpenNotify = func(func(handshake.Message, error)) (Notify, error) { return nil, syscall.EMFILE }
					return
				}
				c.World.OpenOutput = func(Speaker, plan.Log) (Output, error) { return nil, syscall.EMFILE }
			}, func(s *stage) {
				s.after(time.Second)
				deaths := s.logged("worker died")
				if len(deaths) < 2 || !strings.Contains(deaths[0]["exit"].(string), "too many open files") {
					t.Errorf("deaths: %v", deaths)
				}
			})
		})
	}
}

// The news of the start may take longer than the worker's first word.
func TestWorkerThatIsReadyBeforeItsStartIsKnown(t *testing.T) {
	w := &world{}
	held := func(c *Config) {
		w.hold = make(chan struct{})
		c.Desired.Pools[0].Spec.Workers = 1
		c.Desired.Pools[0].Ready = worker.Readiness{Kind: worker.ReadyAuto}
	}
	perform(t, w, held, func(s *stage) {
		w.notifies["@fake-1"](handshake.Message{Ready: true}, nil)
		synctest.Wait()
		if len(s.logged("worker ready")) != 0 {
			t.Error("ready without a process")
		}
		close(w.hold)
		synctest.Wait()
		ready := s.logged("worker ready")
		if len(ready) != 1 || ready[0]["pid"] == nil {
			t.Errorf("ready: %v", ready)
		}
		if n := len(s.sup.observer.byKey); n != 0 {
			t.Errorf("%d workers are looked for in /proc after they are ready", n)
		}
	})
}

func TestFailedProbeIsNamedWhereAWorkerWasNeverReady(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.ready = -1 }}
	probed := func(c *Config) {
		c.Desired.Pools[0].Spec.Workers = 1
		c.Desired.Pools[0].Ready = worker.Readiness{Kind: worker.ReadyHTTP, Path: "/readyz"} // the fake listener has no lane: each probe fails
	}
	perform(t, w, probed, func(s *stage) {
		s.after(2 * time.Minute)
		deaths := s.logged("worker died")
		if len(deaths) == 0 || deaths[0]["cause"] != "never_ready" || !strings.Contains(deaths[0]["probe"].(string), "no lane to a single worker") {
			t.Errorf("deaths: %v", deaths)
		}
		if last := s.sup.Snapshot().Pools[0].Workers[0].LastExit; !strings.Contains(last, "no lane to a single worker") {
			t.Errorf("last exit: %s", last)
		}
	})
}

// Steering by CPU has to know where a worker will run before it gets connections, for successors as well.
func TestListenersKnowThePinsOfWorkers(t *testing.T) {
	pinned := func(c *Config) { c.Desired.Pools[0].Settings.CPUs = [][]int{{0}, {2, 3}} }
	perform(t, &world{}, pinned, func(s *stage) {
		if v := s.sup.Do(context.Background(), Request{Verb: Roll}); v.Err != nil {
			t.Fatal(v.Err)
		}
		l := s.world.listeners[0]
		l.mu.Lock()
		defer l.mu.Unlock()
		for slot, want := range [][]int{{0}, {2, 3}} {
			for _, side := range []listener.Side{listener.A, listener.B} {
				if got := l.pins[listener.Member{Slot: slot, Side: side}]; !slices.Equal(got, want) {
					t.Errorf("slot %d side %s is pinned to %v, want %v", slot, side, got, want)
				}
			}
		}
	})
}

// sh -c 'server; more' dies of SIGTERM by itself and leaves the server alone.
func TestThoseThatTheirLeaderDidNotTellAreTold(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		p := s.world.process(0)
		p.stubborn, p.remains = true, true
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		p.end(worker.Exit{Code: worker.CodeUnknown, Signal: syscall.SIGTERM})
		synctest.Wait()
		diary := strings.Join(s.world.lines(), ",")
		if !strings.HasSuffix(diary, "end 100,group TERM 100") {
			t.Errorf("diary: %s", diary)
		}
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		if n := strings.Count(strings.Join(s.world.lines(), ","), "group TERM 100"); n != 2 {
			t.Errorf("asked again, the group was told %d times, want 2", n)
		}
	})
}

func TestAnswersSayWhatWasRelayed(t *testing.T) {
	ask := func(s *stage, verb Verb) Verdict {
		return s.sup.Do(context.Background(), Request{Verb: verb})
	}
	signal := func(c *Config) { c.Desired.Pools[0].Spec.Reload = machine.ReloadSignal }
	t.Run("to all", func(t *testing.T) {
		perform(t, &world{handling: worker.Catches}, signal, func(s *stage) {
			if v := ask(s, Reload); v.Err != nil || v.Text != "SIGHUP relayed to 2 of 2 workers of pool web" {
				t.Errorf("%+v", v)
			}
			if v := ask(s, Dump); v.Err != nil {
				t.Errorf("%+v", v)
			}
		})
	})
	t.Run("to nobody", func(t *testing.T) {
		perform(t, &world{handling: worker.Dies}, signal, func(s *stage) {
			if v := ask(s, Reload); !errors.Is(v.Err, ErrRelay) {
				t.Errorf("reload: %+v", v)
			}
			if v := ask(s, Dump); !errors.Is(v.Err, ErrRelay) {
				t.Errorf("dump: %+v", v)
			}
		})
	})
	t.Run("a declared reload vouches for no dump", func(t *testing.T) {
		perform(t, &world{handling: worker.CatchesAll}, signal, func(s *stage) {
			s.world.process(0).say(handshake.Message{HandlesReload: true})
			synctest.Wait()
			if v := ask(s, Dump); !errors.Is(v.Err, ErrRelay) {
				t.Errorf("%+v", v)
			}
		})
	})
	t.Run("a reload that is queued behind two rollouts waits for its own", func(t *testing.T) {
		perform(t, &world{}, func(c *Config) { c.Desired.Pools[0].Spec.Reload = machine.ReloadRoll }, func(s *stage) {
			verdicts := make(chan Verdict, 3)
			for range 3 {
				go func() { verdicts <- ask(s, Reload) }()
				synctest.Wait()
			}
			s.after(2 * time.Second)
			for _, want := range []string{"generation 2", "generation 3", "generation 3"} {
				if v := <-verdicts; v.Err != nil || !strings.HasSuffix(v.Text, want) {
					t.Errorf("%+v, want %s", v, want)
				}
			}
		})
	})
}

// What a worker says without end is not logged without end.
func TestWorkersDoNotFillTheLog(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		p := s.world.process(0)
		for range 1234 {
			p.notify(handshake.Message{}, handshake.ErrMalformed)
		}
		for range 100 {
			p.say(handshake.Message{Stopping: true})
		}
		synctest.Wait()
		ignored := s.logged("notification ignored")
		if len(ignored) != 4 || ignored[3]["count"] != 1000.0 {
			t.Errorf("%v", ignored)
		}
		if leaves := s.logged("worker leaves by itself"); len(leaves) != 1 {
			t.Errorf("%d lines", len(leaves))
		}
	})
}
