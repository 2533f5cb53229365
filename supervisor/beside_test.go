package supervisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// A roll that waits behind the rollout of a reload is of what that reload leaves, also if it fails meanwhile.
func TestRollsBehindAReloadThatFails(t *testing.T) {
	for _, then := range []time.Duration{time.Second, 2100 * time.Millisecond} { // before b fails, and after that
		t.Run(then.String(), func(t *testing.T) {
			w := &world{}
			d := func(level string, b plan.Pool) plan.Desired {
				return desire(nil, leveled(sized(poolNamed("a"), 1), level), b)
			}
			perform(t, w, described(w, d("1", poolNamed("b"))), func(s *stage) {
				w.behave = func(_ int, p *fakeProcess) {
					if p.pool() == "a" {
						p.ready = 4 * time.Second
						return
					}
					p.ready = -1
					time.AfterFunc(10*time.Second, func() { p.end(worker.Exit{Code: 3}) })
				}
				w.put(d("2", newer(poolNamed("b"))), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(8 * time.Second)
				if w.levels("a") != "2" {
					t.Errorf("level %q", w.levels("a"))
				}
				first := s.ask(Request{Verb: Roll, Pool: "a"})
				s.after(then)
				second := s.ask(Request{Verb: Roll, Pool: "a"})
				s.after(time.Hour)
				checkFailed(t, reload.answer(), "worker b.", true)
				for _, roll := range []*asked{first, second} {
					if v := roll.answer(); v.Err != nil && !errors.Is(v.Err, ErrRollout) {
						t.Errorf("roll: %+v", v)
					}
				}
				if w.levels("a") != "1" {
					t.Errorf("level %q after the reload has failed", w.levels("a"))
				}
				s.checkRest()
			})
		})
	}
}

// A change that waits for somebody's rollout goes on when that has ended, without anything else having to happen.
func TestChangeBehindARolloutGoesOnByItself(t *testing.T) {
	first := but(sized(poolNamed("a"), 1), func(p *plan.Pool) {
		p.Spec.Order, p.Spec.MaxSurge, p.Spec.MaxUnavailable, p.Spec.Settle = machine.StopFirst, 0, 1, 0
	})
	for _, tt := range []struct {
		name string
		then plan.Pool
	}{
		{"adjusted", but(first, func(p *plan.Pool) { p.Spec.Grace = time.Minute })},
		{"scaled", sized(first, 2)},
		{"rolled", newer(first)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			perform(t, w, described(w, desire(nil, first)), func(s *stage) {
				w.behave = func(_ int, p *fakeProcess) { p.ready = 10 * time.Second }
				roll := s.ask(Request{Verb: Roll})
				s.after(time.Second)
				w.put(desire(nil, tt.then), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(time.Second)
				if !roll.waits() || !reload.waits() {
					t.Error("answered too early")
				}
				s.after(time.Minute)
				if v := roll.answer(); v.Err != nil {
					t.Errorf("roll: %+v", v)
				}
				if v := reload.answer(); v.Err != nil || !strings.HasPrefix(v.Text, "a: "+tt.name+" (") && tt.name != "scaled" {
					t.Errorf("reload: %+v", v)
				}
				s.checkRest()
			})
		})
	}
}

// What is wrong with a slot that was there before is no matter of a reload that changes the number of workers.
func TestScaleOfAPoolWithASlotThatCrashes(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   int
	}{{"down", 1}, {"up", 3}} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			perform(t, w, described(w, desire(nil, sized(poolNamed("a"), 2))), func(s *stage) {
				w.behave = func(_ int, p *fakeProcess) {
					if p.env("BROOD_SLOT") == "0" {
						p.ready = -1
						time.AfterFunc(100*time.Millisecond, func() { p.end(worker.Exit{Code: 3}) })
					}
				}
				w.process(0).end(worker.Exit{Code: 3})
				s.after(time.Minute)
				w.put(desire(nil, sized(poolNamed("a"), tt.to)), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				if v := reload.answer(); v.Err != nil || !strings.Contains(v.Text, "a: scaled, 2 -> ") {
					t.Errorf("verdict: %+v", v)
				}
				if p := s.sup.Snapshot().Pools[0]; p.Desired != tt.to || p.Ready != tt.to-1 {
					t.Errorf("pool: %+v", p)
				}
				// What helps is taken without a wait for the slot.
				w.behave = nil
				w.put(desire(nil, newer(sized(poolNamed("a"), tt.to))), nil)
				reload = s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				if v := reload.answer(); v.Err != nil {
					t.Errorf("the repair: %+v", v)
				}
				s.checkRest()
			})
		})
	}
}

// A changed number of workers is no reason to tell the others anything.
func TestScaledPoolHearsNoSignal(t *testing.T) {
	w := &world{handling: worker.Catches}
	perform(t, w, described(w, desire(nil, sized(poolNamed("a"), 1), sized(poolNamed("kept"), 1))), func(s *stage) {
		begin := len(w.lines())
		w.put(desire(nil, sized(poolNamed("a"), 2), sized(poolNamed("kept"), 1)), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil || !sameLines(v.Text, "a: scaled, 1 -> 2 workers\nSIGHUP relayed to 1 of 1 workers of pool kept") {
			t.Errorf("verdict: %+v", v)
		}
		s.wantFrom(begin, "start a.1/1", "HUP kept.0/1")
		s.checkRest()
	})
}

// Somebody's stop of a pool comes first: a reload that comes in its middle is told to try again.
func TestReloadWhileAPoolIsBeingStopped(t *testing.T) {
	w := &world{}
	a, k := sized(poolNamed("a"), 1), sized(poolNamed("k"), 1)
	perform(t, w, described(w, desire(nil, a, k)), func(s *stage) {
		w.process(0).drain = 20 * time.Second
		s.ask(Request{Verb: Stop, Pool: "a"}).answer()
		w.put(desire(nil, newer(a), k), nil)
		reload := s.ask(Request{Verb: Reload})
		if v := reload.answer(); !errors.Is(v.Err, errNotNow) || !errors.Is(v.Err, ErrReload) || !strings.Contains(v.Err.Error(), "pool a is being stopped") {
			t.Errorf("verdict: %+v", v)
		}
		s.after(time.Minute)
		reload = s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil || s.summary() != "a 1/1 ready; k 1/1 ready" {
			t.Errorf("when it has ended: %+v, %s", v, s.summary())
		}
		s.checkRest()
	})
}

// What takes a new start is said once, and is no reason to roll anybody, nor to tell more than those who take it.
func TestReloadOfFixedSettings(t *testing.T) {
	for _, tt := range []struct {
		handling worker.Handling
		heard    string
		diary    []string
	}{
		{worker.Dies, "pool a untouched", nil},
		{worker.Catches, "SIGHUP relayed to 1 of 1 workers of pool a", []string{"HUP a.0/1"}},
	} {
		t.Run(tt.heard, func(t *testing.T) {
			w := &world{handling: tt.handling}
			d := func(level string) plan.Desired {
				d := desire(nil, sized(poolNamed("a"), 1))
				d.Fixed = map[string]string{"supervisor.log_level": level, "supervisor.name": "shop"}
				return d
			}
			perform(t, w, described(w, d("info")), func(s *stage) {
				begin := len(w.lines())
				w.put(d("debug"), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				want := "supervisor.log_level takes effect when brood is started anew\n" + tt.heard
				if v := reload.answer(); v.Err != nil || !sameLines(v.Text, want) {
					t.Errorf("verdict: %+v, want %q", v, want)
				}
				s.wantFrom(begin, tt.diary...)
				s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				warned := s.logged("a changed setting of the supervisor itself takes effect when it is started anew")
				if len(warned) != 1 || warned[0]["key"] != "supervisor.log_level" || warned[0]["was"] != "info" || warned[0]["is"] != "debug" {
					t.Errorf("warnings: %v", warned)
				}
				s.checkRest()
			})
		})
	}
}
