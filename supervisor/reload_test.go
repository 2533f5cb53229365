package supervisor

import (
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
)

var (
	api   = tcp("api", 81)
	admin = tcp("admin", 82)
)

// reloads go well: from one description to another, and what happens on the way.
var reloads = []struct {
	name     string
	before   plan.Desired
	after    plan.Desired
	handling worker.Handling
	text     string   // of the verdict
	diary    []string // after the start; what happens at one time is in the order of the pools
}{
	{
		"a pool is scaled up: nobody else is touched",
		desire(listening(api), poolNamed("a", "api"), poolNamed("b")),
		desire(listening(api), sized(poolNamed("a", "api"), 3), poolNamed("b")),
		worker.Dies,
		"a: scaled, 2 -> 3 workers\npool b untouched",
		[]string{"start a.2/1", "steer api 0a 1a 2a"},
	},
	{
		"a pool is scaled down: steered away, then told to leave",
		desire(listening(api), poolNamed("a", "api")),
		desire(listening(api), sized(poolNamed("a", "api"), 1)),
		worker.Dies,
		"a: scaled, 2 -> 1 worker",
		[]string{"steer api 0a", "TERM a.1/1", "abandon api 1a", "end a.1/1"},
	},
	{
		"a pool is adjusted: its workers hear of it where they survive that",
		desire(nil, sized(poolNamed("a"), 1)),
		desire(nil, but(sized(poolNamed("a"), 1), func(p *plan.Pool) { p.Spec.Grace = time.Minute })),
		worker.Catches,
		"a: adjusted (stop)\nSIGHUP relayed to 1 of 1 workers of pool a",
		[]string{"HUP a.0/1"},
	},
	{
		"a pool is rolled, and only it",
		desire(listening(api), poolNamed("a", "api"), poolNamed("b")),
		desire(listening(api), newer(poolNamed("a", "api")), poolNamed("b")),
		worker.Dies,
		"a: rolled (command)\npool b untouched",
		[]string{
			"start a.0/2", "steer api 0b 1a", "TERM a.0/1", "abandon api 0a", "end a.0/1",
			"start a.1/2", "steer api 0b 1b", "TERM a.1/1", "abandon api 1a", "end a.1/1",
		},
	},
	{
		"a pool is added with its listener: opened before anything else",
		desire(listening(api), sized(poolNamed("a", "api"), 1)),
		desire(listening(api, admin), newer(sized(poolNamed("a", "api"), 1)), sized(poolNamed("b", "admin"), 1)),
		worker.Dies,
		"a: rolled (command)\nb: added, 1 worker",
		[]string{
			"open admin", "start a.0/2", "start b.0/1", "steer api 0b", "steer admin 0a", "TERM a.0/1", "abandon api 0a", "end a.0/1",
		},
	},
	{
		"a pool is removed with its listener: paused, then told to leave, then closed",
		desire(listening(api, admin), sized(poolNamed("a", "api"), 1), sized(poolNamed("b", "admin"), 1)),
		desire(listening(api), sized(poolNamed("a", "api"), 1)),
		worker.Dies,
		"b: removed, 1 worker\npool a untouched",
		[]string{"pause admin", "TERM b.0/1", "end b.0/1", "close admin"},
	},
	{
		"a listener gets another address: the new one is open first, the old one drained",
		desire(listening(api), sized(poolNamed("a", "api"), 1)),
		desire(listening(tcp("api", 91)), sized(poolNamed("a", "api"), 1)),
		worker.Dies,
		"a: rolled (listen)",
		[]string{
			"open api", "start a.0/2", "pause api", "steer api 0b", "TERM a.0/1", "abandon api 0a", "abandon api 0a", "end a.0/1", "close api",
		},
	},
	{
		"a listener gets another backlog: nobody is touched",
		desire(listening(api), sized(poolNamed("a", "api"), 1)),
		desire(listening(longer(api)), sized(poolNamed("a", "api"), 1)),
		worker.Dies,
		"pool a untouched",
		[]string{"adjust api"},
	},
	{
		"a listener moves from one pool to another: the one lets go, the other takes, and it never pauses",
		desire(listening(api), sized(poolNamed("a", "api"), 1), sized(poolNamed("b"), 1)),
		desire(listening(api), sized(poolNamed("a"), 1), sized(poolNamed("b", "api"), 1)),
		worker.Dies,
		"a: rolled (listen)\nb: rolled (listen)",
		[]string{
			"start a.0/2", "abandon api 0b", "steer api 0b", "TERM a.0/1", "abandon api 0a", "end a.0/1",
			"start b.0/2", "steer api 0b", "TERM b.0/1", "abandon api 0a", "end b.0/1",
		},
	},
	{
		"the only worker leaves a listener before its successor is there: one waits for it, and the other pauses",
		desire(listening(api, admin), alone("a", "api", "admin")),
		desire(listening(api), alone("a", "api")),
		worker.Dies,
		"a: rolled (listen)",
		[]string{
			"steer api 0b", "pause admin", "TERM a.0/1", "abandon api 0a", "abandon admin 0a", "end a.0/1",
			"start a.0/2", "close admin", "steer api 0b",
		},
	},
	{
		"a listener moves from one only worker to another: what comes waits where the other's successor will",
		desire(listening(api), alone("a", "api"), alone("b")),
		desire(listening(api), alone("a"), alone("b", "api")),
		worker.Dies,
		"a: rolled (listen)\nb: rolled (listen)",
		[]string{
			"abandon api 0b", "steer api 0b", "TERM a.0/1", "abandon api 0a", "end a.0/1", "start a.0/2",
			"steer api 0b", "TERM b.0/1", "abandon api 0a", "end b.0/1", "start b.0/2", "steer api 0b",
		},
	},
	{
		"a listener moves to a new pool while its old one is removed",
		desire(listening(api), sized(poolNamed("a", "api"), 1)),
		desire(listening(api), sized(poolNamed("b", "api"), 1)),
		worker.Dies,
		"b: added, 1 worker\na: removed, 1 worker",
		[]string{"abandon api 0b", "steer api 0b", "TERM a.0/1", "end a.0/1", "start b.0/1", "steer api 0a"},
	},
}

// alone is a pool of one worker, whose successor comes when it has gone.
func alone(name string, listen ...string) plan.Pool {
	return but(sized(poolNamed(name, listen...), 1), func(p *plan.Pool) {
		p.Spec.Order, p.Spec.MaxSurge, p.Spec.MaxUnavailable = machine.StopFirst, 0, 1
	})
}

// sameLines compares texts in which the pools may come in any order.
func sameLines(a, b string) bool {
	return slices.Equal(slices.Sorted(strings.SplitSeq(a, "\n")), slices.Sorted(strings.SplitSeq(b, "\n")))
}

func longer(l listener.Config) listener.Config {
	l.Backlog = 64
	return l
}

func TestReload(t *testing.T) {
	for _, tt := range reloads {
		t.Run(tt.name, func(t *testing.T) {
			// The end of a worker comes after everything that telling it to leave brings.
			w := &world{handling: tt.handling, behave: func(_ int, p *fakeProcess) { p.drain = time.Millisecond }}
			perform(t, w, described(w, tt.before), func(s *stage) {
				s.checkRest()
				begun := len(w.lines())
				w.put(tt.after, nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(10 * time.Second)
				if v := reload.answer(); v.Err != nil || !sameLines(v.Text, tt.text) {
					t.Errorf("verdict %q, %v, want %q", v.Text, v.Err, tt.text)
				}
				s.wantFrom(begun, tt.diary...)
				s.checkRest()
				snap := s.sup.Snapshot()
				if r := snap.Config.Reload; r.State != "done" || snap.Config.Reloads != 1 || snap.Config.Failures != 0 || snap.Config.Loaded != r.At {
					t.Errorf("status: %+v, %+v", snap.Config, r)
				}
			})
		})
	}
}

// A worker that is steered away has the whole time of its settling before it is told to leave, also where its turn comes
// in the middle of a reload.
func TestScalingByAReloadSteersAtOnce(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) {
		if p.pool() == "c" && p.env("BROOD_GENERATION") == "2" {
			p.ready = time.Minute / 2 // somebody's rollout, for which the reload waits
		}
	}}
	a, b, c := after(poolNamed("a", "api"), "b"), poolNamed("b"), poolNamed("c")
	perform(t, w, described(w, desire(listening(api), a, b, c)), func(s *stage) {
		roll := s.ask(Request{Verb: Roll, Pool: "c"})
		begun := len(w.lines())
		w.put(desire(listening(api), sized(a, 1), sized(b, 3), sized(c, 3)), nil)
		reload := s.ask(Request{Verb: Reload})
		s.wantFrom(begun, "start b.2/1", "steer api 0a")
		s.after(2 * time.Minute)
		if v := roll.answer(); v.Err != nil {
			t.Errorf("roll: %v", v.Err)
		}
		if v := reload.answer(); v.Err != nil {
			t.Errorf("reload: %v", v.Err)
		}
		s.checkRest()
	})
}

func TestReloadOfAnUnchangedFile(t *testing.T) {
	same := desire(nil, poolNamed("a"), but(poolNamed("b"), func(p *plan.Pool) { p.Spec.Reload = machine.ReloadRoll }))
	for _, tt := range []struct {
		name     string
		handling worker.Handling
		text     string
		diary    string
	}{
		{
			"signalled or rolled, as the policy says", worker.Catches,
			"SIGHUP relayed to 2 of 2 workers of pool a\npool b is at generation 2", "HUP a.0/1,HUP a.1/1,start b.0/2",
		},
		{
			"rolled where they would die of it", worker.Dies,
			"pool b is at generation 2\npool a is at generation 2", "start b.0/2",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{handling: tt.handling}
			perform(t, w, described(w, same), func(s *stage) {
				begun := len(w.lines())
				s.signals <- syscall.SIGHUP
				synctest.Wait()
				reload := s.ask(Request{Verb: Reload}) // it is queued, and reads the file once more
				s.after(time.Minute)
				v := reload.answer()
				for line := range strings.SplitSeq(tt.text, "\n") {
					if want := strings.ReplaceAll(line, "generation 2", "generation 3"); v.Err != nil || !strings.Contains(v.Text, want) {
						t.Errorf("verdict %q, %v, want %q", v.Text, v.Err, want)
					}
				}
				diary := strings.Join(w.lines()[begun:], ",")
				for line := range strings.SplitSeq(tt.diary, ",") {
					if !strings.Contains(diary, line) {
						t.Errorf("diary without %q: %s", line, diary)
					}
				}
				if w.reads != 2 {
					t.Errorf("the file was read %d times, want 2", w.reads)
				}
				s.checkRest()
			})
		})
	}
}

// Without a file a reload only tells the workers.
func TestPlanChangesNothing(t *testing.T) {
	w := &world{handling: worker.Catches}
	perform(t, w, described(w, desire(listening(api), poolNamed("a", "api"), poolNamed("b"))), func(s *stage) {
		begun := len(w.lines())
		w.put(desire(listening(api), newer(poolNamed("a", "api")), poolNamed("b")), nil)
		v := s.ask(Request{Verb: Plan}).answer()
		if data := string(v.Data); v.Err != nil || !strings.Contains(data, `"action":"rolled","reasons":["command"]`) ||
			!strings.Contains(data, `"pool":"b","action":"signalled"`) {
			t.Errorf("plan: %s, %v", data, v.Err)
		}
		s.wantFrom(begun)
		s.checkRest()
	})
	w = &world{handling: worker.Catches, lanes: true}
	sick := poolNamed("a", "api")
	sick.Health.Readiness = often()
	perform(t, w, described(w, desire(listening(api), sick)), func(s *stage) {
		for _, p := range w.living() {
			p.set(func(m *mood) { m.status = 503 })
		}
		s.after(4 * time.Second)
		v := s.ask(Request{Verb: Plan}).answer()
		if data := string(v.Data); v.Err != nil || !strings.Contains(data, `"pool":"a","action":"signalled"`) {
			t.Errorf("plan for unready workers: %s, %v", data, v.Err)
		}
	})
	perform(t, &world{}, nil, func(s *stage) {
		if v := s.ask(Request{Verb: Plan}).answer(); v.Err == nil || !strings.Contains(v.Err.Error(), ErrNoFile.Error()) {
			t.Errorf("plan without a file: %+v", v)
		}
	})
}
