package supervisor

import (
	"errors"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// The way back is a rollout where the way forth had come to its end. A worker that crashes then does not leave the pool
// with the configuration that was refused.
func TestWayBackIsTriedAgain(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, one("1")), func(s *stage) {
		crashes := 3
		w.behave = func(_ int, p *fakeProcess) {
			switch {
			case p.pool() == "b":
				p.ready = -1
				time.AfterFunc(10*time.Second, func() { p.end(worker.Exit{Code: 3}) })
			case p.env("LEVEL") == "1" && crashes > 0:
				crashes--
				p.ready = -1
				time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 1}) })
			}
		}
		d := one("2")
		d.Pools = append(d.Pools, after(poolNamed("b"), "a"))
		w.put(d, nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(20 * time.Second)
		checkFailed(t, reload.answer(), "the new configuration does not work", true)
		if s.level() != "2" {
			t.Errorf("level %s while the way back has not succeeded", s.level())
		}
		if state := s.sup.Snapshot().Config.Reload.State; state != "reverting" {
			t.Errorf("reload is %s", state)
		}
		s.after(time.Minute)
		if s.level() != "1" || crashes != 0 {
			t.Errorf("level %s after all, %d crashes to come", s.level(), crashes)
		}
		s.checkRest()
	})
}

// A reload that only adjusts a pool is through as soon as the rollout ends that it waits for.
func TestAdjustmentBehindARollout(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n > 0 {
			p.ready = time.Minute / 2
		}
	}}
	perform(t, w, described(w, desire(nil, sized(poolNamed("a"), 1))), func(s *stage) {
		roll := s.ask(Request{Verb: Roll})
		w.put(desire(nil, but(sized(poolNamed("a"), 1), func(p *plan.Pool) { p.Spec.Grace = time.Minute })), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := roll.answer(); v.Err != nil {
			t.Errorf("roll: %+v", v)
		}
		if v := reload.answer(); v.Err != nil {
			t.Errorf("reload: %+v", v)
		}
		s.checkRest()
	})
}

// What somebody rolls meanwhile goes back as well.
func TestWayBackOfAPoolThatWasRolledSince(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, one("1")), func(s *stage) {
		w.behave = late("b", "1", "0")
		d := one("2")
		d.Pools = append(d.Pools, after(poolNamed("b"), "a"))
		w.put(d, nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(10 * time.Second)
		roll := s.ask(Request{Verb: Roll, Pool: "a"})
		s.after(10 * time.Second)
		if v := roll.answer(); v.Err != nil || v.Text != "pool a is at generation 3" {
			t.Errorf("roll: %+v, level %s", v, s.level())
		}
		s.after(5 * time.Minute)
		checkFailed(t, reload.answer(), "the new configuration does not work", true)
		if s.level() != "1" {
			t.Errorf("level %s", s.level())
		}
		s.checkRest()
	})
}

// Nobody waits for ever for workers that did well before and do not live any more: the next reload may be what helps.
func TestPoolThatCannotComeBackHoldsUpNoReload(t *testing.T) {
	w := &world{}
	old := leveled(poolNamed("old", "api"), "1")
	perform(t, w, described(w, desire(listening(api), old)), func(s *stage) {
		w.behave = func(_ int, p *fakeProcess) {
			if p.env("LEVEL") != "2" {
				p.ready = -1
				time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
			}
		}
		w.put(desire(listening(api), poolNamed("new", "api")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(10 * time.Second)
		checkFailed(t, reload.answer(), "worker new.", true)
		if n := len(s.logged("the previous configuration holds again, but not all of its workers serve")); n != 1 {
			t.Errorf("said %d times that it is not as before", n)
		}
		w.put(desire(listening(api), leveled(old, "2")), nil)
		reload = s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil || s.level() != "2 2" {
			t.Errorf("verdict: %+v, level %s", v, s.level())
		}
		s.checkRest()
	})
}

// A rollout that fails may leave workers behind that cannot come back: also then a reload repairs the pool.
func TestReloadRepairsAPoolWhoseRolloutIsOnItsWayBack(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, desire(nil, leveled(poolNamed("a"), "1"))), func(s *stage) {
		w.behave = func(_ int, p *fakeProcess) {
			if p.env("LEVEL") == "1" {
				p.ready = -1
				time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
			}
		}
		s.world.process(0).end(worker.Exit{Code: 1}) // a slot that does not come back
		s.after(time.Minute)
		s.ask(Request{Verb: Roll})
		s.after(time.Minute)
		w.put(desire(nil, leveled(poolNamed("a"), "2")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(2 * time.Minute)
		if v := reload.answer(); v.Err != nil || s.level() != "2 2" {
			t.Errorf("verdict: %+v, level %s", v, s.level())
		}
		s.checkRest()
	})
}

// Who waits for a rollout behind another one hears of the stop of the pool as well.
func TestStopOfAPoolAnswersAllWhoWait(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n > 1 {
			p.ready = time.Minute / 2
		}
	}}
	perform(t, w, described(w, desire(nil, poolNamed("a"), poolNamed("b"))), func(s *stage) {
		first, second := s.ask(Request{Verb: Roll, Pool: "a"}), s.ask(Request{Verb: Roll, Pool: "a"})
		s.ask(Request{Verb: Stop, Pool: "a"})
		s.after(time.Second)
		for _, a := range []*asked{first, second} {
			if v := a.answer(); !errors.Is(v.Err, ErrRollout) {
				t.Errorf("%+v", v)
			}
		}
	})
}
