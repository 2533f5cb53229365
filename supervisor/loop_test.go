package supervisor

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStubbornWorkerIsKilledWhenItsGraceIsOver(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) { p.stubborn = n == 0 }}
	perform(t, w, nil, func(s *stage) {
		s.signals <- syscall.SIGTERM
		s.after(30*time.Second - time.Nanosecond)
		s.want("start 100", "start 101", "steer 0a 1a", "TERM 100", "TERM 101", "end 101")
		s.after(time.Nanosecond)
		if got := <-s.code; got != 0 {
			t.Errorf("exit code %d after a graceful stop with a kill in it, want 0", got)
		}
		s.code <- 0
		if deaths := s.logged("worker died"); len(deaths) != 2 || deaths[1]["cause"] != "killed_late" {
			t.Errorf("death notes: %v", deaths)
		}
	})
}

// It was not told to leave, but had its grace all the same.
func TestWorkerThatSaysThatItLeavesAndStaysIsKilledLate(t *testing.T) {
	w := &world{}
	perform(t, w, nil, func(s *stage) {
		begin := len(w.lines())
		w.process(0).say(handshake.Message{Stopping: true})
		s.after(30*time.Second + time.Nanosecond)
		s.wantFrom(begin, "start 102", "steer 1a", "steer 0b 1a", "abandon 0a", "group KILL 100", "end 100")
		s.checkDeaths(CauseKilledLate)
		if n := len(s.logged("worker killed: it did not leave in time")) - len(s.logged("worker told to leave")); n != 1 {
			t.Errorf("the kill was said %d times more often than that somebody was told to leave", n)
		}
	})
}

func TestFourthTerminationExitsAtOnce(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.stubborn = true }}
	perform(t, w, nil, func(s *stage) {
		for range 4 {
			s.signals <- syscall.SIGINT
			synctest.Wait()
		}
		if got := <-s.code; got != 1 {
			t.Errorf("exit code %d, want 1", got)
		}
		s.code <- 0
		s.want("start 100", "start 101", "steer 0a 1a",
			"TERM 100", "TERM 101", "TERM 100", "TERM 101", "TERM 100", "TERM 101",
			"group KILL 100", "end 100", "group KILL 101", "end 101")
		if got := len(s.logged("termination asked for again; the fourth time everything is killed")); got != 2 {
			t.Errorf("%d lines about who is left, want 2", got)
		}
	})
}

func TestRollSteersSettlesThenTerminates(t *testing.T) {
	w := &world{}
	perform(t, w, nil, func(s *stage) {
		verdict := make(chan Verdict, 1)
		go func() { verdict <- s.sup.Do(context.Background(), Request{Verb: Roll}) }()
		synctest.Wait()
		s.want("start 100", "start 101", "steer 0a 1a", "start 102", "steer 0b 1a")
		s.after(time.Second)
		s.after(time.Second + time.Millisecond) // the workers take a moment to end
		s.want("start 100", "start 101", "steer 0a 1a",
			"start 102", "steer 0b 1a", "TERM 100", "abandon 0a", "end 100",
			"start 103", "steer 0b 1b", "TERM 101", "abandon 1a", "end 101")
		if v := <-verdict; v.Err != nil {
			t.Errorf("verdict: %v", v.Err)
		}
		if snap := s.sup.Snapshot(); snap.Pools[0].Generation != 2 || snap.Pools[0].Ready != 2 {
			t.Errorf("after the roll: %+v", snap.Pools[0])
		}
	})
}

// With nobody beside it the only worker is steered away from all the same: what comes waits for its successor.
func TestRollOfTheOnlyWorkerSteersToItsSuccessor(t *testing.T) {
	w := &world{}
	alone := func(c *Config) {
		p := &c.Desired.Pools[0]
		p.Spec.Workers, p.Spec.Order, p.Spec.MaxSurge, p.Spec.MaxUnavailable = 1, machine.StopFirst, 0, 1
	}
	perform(t, w, alone, func(s *stage) {
		go s.sup.Do(context.Background(), Request{Verb: Roll})
		synctest.Wait()
		s.want("start 100", "steer 0a", "steer 0b")
		s.after(time.Second + time.Millisecond) // the worker takes a moment to end
		s.want("start 100", "steer 0a", "steer 0b", "TERM 100", "abandon 0a", "end 100", "start 101", "steer 0b")
	})
}

func TestRollFailsWithTheReasonAndTheOldServeOn(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n == 2 {
			p.ready = -1
			time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}}
	perform(t, w, nil, func(s *stage) {
		v := s.sup.Do(context.Background(), Request{Verb: Roll})
		if !errors.Is(v.Err, ErrRollout) || !strings.Contains(v.Err.Error(), "exit 3") || len(v.Lines) == 0 {
			t.Errorf("verdict: %+v", v)
		}
		synctest.Wait()
		snap := s.sup.Snapshot().Pools[0]
		if snap.Generation != 1 || snap.Ready != 2 || snap.Rollout.State != "failed" {
			t.Errorf("after the failure: %+v", snap)
		}
		if s.world.process(0).gone() || s.world.process(1).gone() {
			t.Error("an incumbent was stopped")
		}
	})
}

func TestTerminationReachesWorkerThatIsStillForked(t *testing.T) {
	w := &world{}
	held := func(*Config) { w.hold = make(chan struct{}) } // a channel of the bubble
	perform(t, w, held, func(s *stage) {
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		s.want()
		close(w.hold)
		synctest.Wait()
		s.after(0)
		if got := <-s.code; got != 0 {
			t.Errorf("exit code %d, want 0", got)
		}
		s.code <- 0
	})
}

func TestWorkersThatNeverRunBackOff(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.err = &worker.ExecError{Path: "server", Err: syscall.ENOENT} }}
	one := func(c *Config) { c.Desired.Pools[0].Spec.Workers = 1 }
	perform(t, w, one, func(s *stage) {
		s.after(time.Minute)
		deaths := s.logged("worker died")
		// at once, then about 1, 2, 4, 8, 16, 30 s later
		if len(deaths) < 7 || len(deaths) > 9 {
			t.Errorf("%d deaths within a minute", len(deaths))
		}
		if deaths[0]["cause"] != "never_execed" || deaths[0]["next"] != machine.RestartNow.String() {
			t.Errorf("first death: %v", deaths[0])
		}
		if deaths[2]["next"] != machine.RestartLater.String() || deaths[2]["after_ms"] == nil {
			t.Errorf("third death: %v", deaths[2])
		}
	})
}

func TestReloadIsRelayedOnlyToThoseWhoSurviveIt(t *testing.T) {
	tests := []struct {
		name     string
		handling worker.Handling
		declared bool
		unready  bool // one of them
		policy   machine.ReloadPolicy
		relayed  bool
		rolled   bool
	}{
		{"node with a handler", worker.Catches, false, false, machine.ReloadAuto, true, false},
		{"node without", worker.Dies, false, false, machine.ReloadAuto, false, true},
		{"go that says so", worker.CatchesAll, true, false, machine.ReloadAuto, true, false},
		{"go that says nothing", worker.CatchesAll, false, false, machine.ReloadAuto, false, true},
		{"a declaration without a handler", worker.Dies, true, false, machine.ReloadAuto, false, true},
		{"asked for, but deadly", worker.Dies, false, false, machine.ReloadSignal, false, false},
		{"one is unready", worker.Catches, false, true, machine.ReloadAuto, true, false},
		{"asked for", worker.CatchesAll, false, false, machine.ReloadSignal, true, false},
		{"always roll", worker.Catches, true, false, machine.ReloadRoll, false, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := &world{handling: tc.handling, lanes: true}
			probed := watched(2, func(p *plan.Pool) { p.Health.Readiness, p.Spec.Reload = often(), tc.policy })
			perform(t, w, probed, func(s *stage) {
				if tc.unready {
					w.process(1).set(func(m *mood) { m.status = 503 })
					s.after(4 * time.Second)
				}
				if tc.declared {
					s.world.process(0).say(handshake.Message{HandlesReload: true})
					s.world.process(1).say(handshake.Message{HandlesReload: true})
				}
				s.signals <- syscall.SIGHUP
				s.after(10 * time.Second)
				diary := strings.Join(s.world.lines(), ",")
				if got := strings.Contains(diary, "HUP 100,HUP 101"); got != tc.relayed {
					t.Errorf("relayed: %t, want %t: %s", got, tc.relayed, diary)
				}
				if got := strings.Contains(diary, "start 103"); got != tc.rolled {
					t.Errorf("rolled: %t, want %t: %s", got, tc.rolled, diary)
				}
			})
		})
	}
}

func TestHeapDumpsGoOneAtATime(t *testing.T) {
	w := &world{handling: worker.Catches}
	perform(t, w, nil, func(s *stage) {
		begun := []string{"start 100", "start 101", "steer 0a 1a"}
		s.signals <- syscall.SIGUSR2
		synctest.Wait()
		s.signals <- syscall.SIGUSR2 // the first has had its signal and is asked again, the second waits already
		s.after(time.Second)
		s.want(append(begun, "USR2 100")...)
		s.after(200 * time.Millisecond)
		s.want(append(begun, "USR2 100", "USR2 101")...)
		s.after(time.Minute)
		s.want(append(begun, "USR2 100", "USR2 101", "USR2 100")...)
	})
}

// A worker that does not answer is the one whose heap somebody wants to see.
func TestHeapDumpsOfUnreadyWorkers(t *testing.T) {
	w := &world{handling: worker.Catches, lanes: true}
	perform(t, w, watched(1, func(p *plan.Pool) { p.Health.Readiness = often() }), func(s *stage) {
		w.process(0).set(func(m *mood) { m.status = 503 })
		s.after(4 * time.Second)
		begin := len(w.lines())
		if v := s.ask(Request{Verb: Dump}).answer(); v.Err != nil {
			t.Errorf("%+v", v)
		}
		s.wantFrom(begin, "USR2 100")
	})
}

func TestLeaderThatLeavesOthersBehindIsReplacedAndTheyAreKilled(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) { p.remains = n == 0 }}
	perform(t, w, nil, func(s *stage) {
		s.world.process(0).end(worker.Exit{Code: 1})
		synctest.Wait()
		s.want("start 100", "start 101", "steer 0a 1a", "end 100", "steer 1a", "group TERM 100",
			"start 102", "steer 0b 1a", "abandon 0a")
		s.after(30 * time.Second)
		if diary := s.world.lines(); diary[len(diary)-1] != "group KILL 100" {
			t.Errorf("diary: %v", diary)
		}
	})
}
