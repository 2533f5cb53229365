package supervisor

import (
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// noWayBack makes a reload fail after it has rolled pool a to another level than 1, and lets no worker of level 1 live any
// more, as after a migration.
func noWayBack(_ int, p *fakeProcess) {
	if p.pool() == "b" || p.env("LEVEL") == "1" {
		p.ready = -1
		time.AfterFunc(10*time.Second, func() { p.end(worker.Exit{Code: 3}) })
	}
}

// levelAndB is a pool of a level with a listener of its own for each, beside another pool.
func levelAndB(level string, l listener.Config, b plan.Pool) plan.Desired {
	return desire(listening(l), leveled(sized(poolNamed("a", l.Name), 1), level), sized(b, 1))
}

// A pool whose previous workers do not live any more is not rolled back again and again: it keeps what it has, on sockets
// that stay open, and the next reload starts from there.
func TestPoolThatCannotGoBackKeepsWhatItHas(t *testing.T) {
	for _, tt := range []struct {
		name string
		then listener.Config // of level 2
	}{{"the same listener", api}, {"another listener", admin}} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			perform(t, w, described(w, levelAndB("1", api, poolNamed("b"))), func(s *stage) {
				w.behave = noWayBack
				w.put(levelAndB("2", tt.then, newer(poolNamed("b"))), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(20 * time.Second)
				checkFailed(t, reload.answer(), "worker b.0", true)
				s.after(24 * time.Hour)
				if n := len(s.logged("change goes back")); n > 2+mostTries {
					t.Errorf("%d ways back were tried", n)
				}
				if n := len(s.logged("pool cannot go back: its previous workers do not start any more; it keeps what it has")); n != 1 {
					t.Errorf("said %d times that it keeps what it has", n)
				}
				if state := s.sup.Snapshot().Config.Reload.State; state != "failed" || w.levels("a") != "2" {
					t.Errorf("reload %s, level %q", state, w.levels("a"))
				}
				served := false
				for _, l := range w.serving() {
					served = served || strings.HasPrefix(l, tt.then.Name+" ") && strings.Contains(l, " 0") && !strings.HasSuffix(l, "paused")
				}
				if !served {
					t.Errorf("serving: %q", w.serving())
				}
				s.checkRest()

				w.behave = nil
				w.put(levelAndB("1", api, poolNamed("b")), nil)
				reload = s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				if v := reload.answer(); v.Err != nil || !strings.Contains(v.Text, "a: rolled (") || strings.Contains(v.Text, "b: rolled") || w.levels("a") != "1" {
					t.Errorf("the next reload: %+v, level %q", v, w.levels("a"))
				}
				s.checkRest()
			})
		})
	}
}

// Whoever waits with a repaired file is not kept waiting for a way back that does not work.
func TestRepairedFileEndsAWayBackThatDoesNotWork(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, levelAndB("1", api, poolNamed("b"))), func(s *stage) {
		w.behave = noWayBack
		w.put(levelAndB("2", api, newer(poolNamed("b"))), nil)
		s.ask(Request{Verb: Reload})
		s.after(25 * time.Second) // the first way back is under way
		w.put(levelAndB("3", api, poolNamed("b")), nil)
		repaired := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := repaired.answer(); v.Err != nil || w.levels("a") != "3" {
			t.Errorf("verdict: %+v, level %q", v, w.levels("a"))
		}
		s.checkRest()
	})
}

// A worker that dies while its predecessor drains has failed like one that dies before: the reload does not wait for a
// worker that crashes again and again.
func TestNewWorkerThatDiesWhileTheOldOneDrains(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, one("1")), func(s *stage) {
		w.process(0).drain = 20 * time.Second
		lives := 3 * time.Second
		w.behave = func(_ int, p *fakeProcess) {
			if p.env("LEVEL") == "2" {
				time.AfterFunc(lives, func() { p.end(worker.Exit{Code: 3}) })
				lives = time.Second / 10
			}
		}
		w.put(one("2"), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(10 * time.Second)
		checkFailed(t, reload.answer(), "died 3s after it was ready: exit 3", true)
		s.after(time.Minute)
		if w.levels("a") != "1" {
			t.Errorf("level %q", w.levels("a"))
		}
		s.checkRest()
	})
}
