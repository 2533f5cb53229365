package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// told renders the events behind a number, one to a line.
func (s *stage) told(since uint64) []string {
	s.settle()
	var lines []string
	all, missed := s.sup.Events().Since(since)
	if missed > 0 {
		s.t.Errorf("%d events missed", missed)
	}
	for i, e := range all {
		if e.ID != since+uint64(i)+1 {
			s.t.Errorf("event %d follows %d", e.ID, since+uint64(i))
		}
		lines = append(lines, eventWords(e))
	}
	return lines
}

func eventWords(e events.Event) string {
	words := []string{string(e.Kind)}
	add := func(format string, v any, is bool) {
		if is {
			words = append(words, fmt.Sprintf(format, v))
		}
	}
	add("%v", e.Pool, e.Pool != "")
	if e.Slot != nil {
		add("%v", *e.Slot, true)
	}
	add("gen %d", e.Generation, e.Generation != 0)
	add("%v ->", e.From, e.From != "")
	add("%v", e.State, e.State != "")
	add("%v", e.Cause, e.Cause != "")
	add("next: %v", e.Next, e.Next != "")
	add("after %vs", e.After, e.After != 0)
	add("(%v)", e.Reason, e.Reason != "")
	add("%v workers", e.Workers, e.Workers != 0)
	add("before %v", e.Before, e.Before != 0)
	add("%v", e.Verb, e.Verb != "")
	add("%v", e.Signal, e.Signal != "")
	if e.UID != nil {
		add("by %d", *e.UID, true)
	}
	return strings.Join(words, " ")
}

func (s *stage) wantTold(since uint64, want ...string) {
	s.t.Helper()
	if got := s.told(since); !slices.Equal(got, want) {
		s.t.Errorf("told:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func oneWorker(c *Config) { c.Desired.Pools[0].Spec.Workers = 1 }

func TestStartIsTold(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		s.wantTold(0,
			"pool web waiting", "state starting", "pool web waiting -> starting", "worker web 0 gen 1 starting",
			"worker web 0 gen 1 starting -> ready", "pool web starting -> ready", "state starting -> ready")
	})
}

func TestDeathIsToldBeforeWhatFollows(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		since := s.sup.Events().Last()
		s.world.process(0).end(worker.Exit{Code: 1})
		synctest.Wait()
		s.wantTold(since,
			"death web 0 gen 1 died next: restarted at once", "worker web 0 gen 1 ready -> gone", "pool web ready -> degraded",
			"state ready -> degraded", "worker web 0 gen 1 starting", "worker web 0 gen 1 starting -> ready",
			"pool web degraded -> ready", "state degraded -> ready")
		e, _ := s.sup.Events().Since(since)
		if e[0].PID == 0 || e[0].WorkerID == nil || e[0].Age == nil || e[0].Exit == "" {
			t.Errorf("the death lacks something: %+v", e[0])
		}
	})
}

func TestRolloutIsTold(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		since := s.sup.Events().Last()
		s.ask(Request{Verb: Roll, UID: 7, PID: 8})
		s.after(time.Second)
		s.world.process(0).end(worker.Exit{})
		synctest.Wait()
		s.wantTold(since,
			"request roll by 7", "rollout web gen 2 rolling", "worker web 0 gen 2 starting", "worker web 0 gen 2 starting -> ready",
			"worker web 0 gen 1 ready -> settling", "worker web 0 gen 1 settling -> draining (replaced)",
			"rollout web gen 2 done", "death web 0 gen 1 stopped next: another worker of the slot serves",
			"worker web 0 gen 1 draining -> gone (replaced)")
	})
}

func TestRequestsAreToldWithTheirParticulars(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		since := s.sup.Events().Last()
		s.ask(Request{Verb: Signal, Pool: "web", Slot: new(0), Signal: syscall.SIGUSR1, Force: true, UID: Nobody, From: "10.1.2.3:4"})
		s.ask(Request{Verb: Scale, Workers: 1, UID: 0})
		s.ask(Request{Verb: Plan, UID: 7}) // changes nothing, and whoever may look may ask for it without end
		all, _ := s.sup.Events().Since(since)
		all = slices.DeleteFunc(all, func(e events.Event) bool { return e.Kind != events.Request })
		if len(all) != 2 {
			t.Fatalf("%+v", all)
		}
		if e := all[0]; e.UID != nil || e.From != "10.1.2.3:4" || e.Slot == nil || e.Signal != "SIGUSR1" || e.Detail != "force" {
			t.Errorf("%+v", e)
		}
		if e := all[1]; e.UID == nil || *e.UID != 0 || e.Detail != "workers 1" {
			t.Errorf("%+v", e)
		}
	})
}

func TestScaleAndSignalsAreTold(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		since := s.sup.Events().Last()
		s.signals <- syscall.SIGTTIN
		synctest.Wait()
		s.wantTold(since,
			"signal SIGTTIN", "request scale", "scale web 2 workers before 1", "pool web ready -> degraded", "state ready -> degraded",
			"worker web 1 gen 1 starting", "worker web 1 gen 1 starting -> ready", "pool web degraded -> ready", "state degraded -> ready")
	})
}

func TestReloadIsTold(t *testing.T) {
	w := &world{}
	w.put(desire(nil, sized(poolNamed("a"), 1), sized(poolNamed("b"), 1)), nil)
	perform(t, w, func(c *Config) {
		c.Desired = desire(nil, sized(poolNamed("a"), 1))
		c.World.Load = w.load
	}, func(s *stage) {
		since := s.sup.Events().Last()
		s.ask(Request{Verb: Reload, PID: 1})
		got := s.told(since)
		for _, want := range []string{"reload preparing", "reload applying", "pool b starting -> ready", "reload done"} {
			if !slices.Contains(got, want) {
				t.Errorf("%q was not told, but:\n  %s", want, strings.Join(got, "\n  "))
			}
		}
		since = s.sup.Events().Last()
		w.put(plan.Desired{}, fmt.Errorf("line 3: no such key"))
		s.ask(Request{Verb: Reload, PID: 1})
		if got := s.told(since); !slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, "reload failed (") }) {
			t.Errorf("the failure was not told, but:\n  %s", strings.Join(got, "\n  "))
		}
	})
}

func TestTheEndIsTold(t *testing.T) {
	perform(t, &world{}, oneWorker, func(s *stage) {
		since := s.sup.Events().Last()
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		got := s.told(since)
		want := []string{"signal SIGTERM", "worker web 0 gen 1 ready -> draining (stopping)", "pool web ready -> stopping", "state ready -> stopping"}
		if !slices.Equal(got, want) {
			t.Errorf("told:\n  %s", strings.Join(got, "\n  "))
		}
		since = s.sup.Events().Last()
		s.world.process(0).end(worker.Exit{})
		synctest.Wait()
		s.wantTold(since, "death web 0 gen 1 stopped next: not restarted", "worker web 0 gen 1 draining -> gone (stopping)", "pool web stopping -> exited")
	})
}

// Who listens may name what it wants to hear of: those are the words that are told.
func TestWordsOfEvents(t *testing.T) {
	causes := []string{
		string(CauseNeverExeced), string(CauseNeverReady), string(CauseDiedYoung), string(CauseDied), string(CauseOOM), string(CauseWatchdog),
		string(CauseHang), string(CauseProbe), string(CauseReloadSignal), string(CauseDumpSignal), string(CauseRecycled), string(CauseStopped),
		string(CauseKilledLate), string(CauseFinished),
	}
	states := []string{
		StateStarting, StateReady, StateDegraded, StateStopping, reloadPreparing, reloadApplying, reloadReverting, reloadIsDone, reloadFailed,
		stateFailed, events.Gone, machine.Rolling.String(), machine.Reverting.String(), machine.Exited.String(),
	}
	for h := machine.Waiting; h <= machine.Killed; h++ {
		states = append(states, h.String())
	}
	for _, tt := range []struct {
		name        string
		own, listed []string
	}{{"causes", causes, events.Causes()}, {"states", states, events.States()}} {
		slices.Sort(tt.own)
		slices.Sort(tt.listed)
		if own := slices.Compact(tt.own); !slices.Equal(own, tt.listed) {
			t.Errorf("%s: own %v, listed %v", tt.name, own, tt.listed)
		}
	}
}
