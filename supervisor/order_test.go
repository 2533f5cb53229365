package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// chain is three pools that come after one another, in the wrong order in the file.
func chain() plan.Desired {
	return desire(nil, after(sized(poolNamed("web"), 1), "queue"), sized(poolNamed("db"), 1), after(sized(poolNamed("queue"), 1), "db"))
}

func TestPoolsStartAfterThoseThatTheyNeed(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.ready = 10 * time.Second }}
	perform(t, w, described(w, chain()), func(s *stage) {
		s.want("start db.0/1")
		if got := s.summary(); got != "web 0/1 ready, waits for queue; db 0/1 ready; queue 0/1 ready, waits for db" {
			t.Errorf("status: %s", got)
		}
		if p := s.sup.Snapshot().Pools[0]; p.Phase != "waiting" {
			t.Errorf("web: %+v", p)
		}
		for _, verb := range []Verb{Roll, Scale, Dump, Reload} {
			if v := s.ask(Request{Verb: verb, Pool: "web", Workers: 2}).answer(); !errors.Is(v.Err, ErrNotStarted) {
				t.Errorf("%s: %+v", verb, v)
			}
		}
		s.after(10 * time.Second)
		s.want("start db.0/1", "start queue.0/1")
		s.after(10 * time.Second)
		s.want("start db.0/1", "start queue.0/1", "start web.0/1")
		// A pool that others came after may be short of workers later on: nobody is stopped for it.
		s.after(10 * time.Second)
		s.world.process(0).end(worker.Exit{Code: 1})
		s.after(time.Minute)
		s.checkRest()
	})
}

func TestPoolThatIsNeverReadyHoldsTheOthers(t *testing.T) {
	w := &world{behave: late("db", "1", "0")}
	perform(t, w, described(w, chain()), func(s *stage) {
		s.after(10 * time.Minute)
		for _, line := range w.lines() {
			if strings.Contains(line, "web") || strings.Contains(line, "queue") {
				t.Errorf("%s, though db is not ready", line)
			}
		}
		if snap := s.sup.Snapshot(); !slices.Equal(snap.Pools[2].WaitsFor, []string{"db"}) || snap.State != StateStarting {
			t.Errorf("status: %+v", snap)
		}
		// The file is repaired while others wait.
		w.behave = nil
		fixed := chain()
		fixed.Pools[1] = newer(fixed.Pools[1])
		fixed.Pools[0] = leveled(fixed.Pools[0], "2")
		fixed.Pools[2] = sized(fixed.Pools[2], 2)
		w.put(fixed, nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil {
			t.Errorf("reload: %+v", v)
		}
		if got := s.summary(); got != "web 1/1 ready; db 1/1 ready; queue 2/2 ready" {
			t.Errorf("status: %s", got)
		}
		s.checkRest()
	})
}

// An unchanged file is no reason to complain of pools that have not read it yet. One of them can be removed without
// having started.
func TestReloadWhilePoolsWait(t *testing.T) {
	w := &world{handling: worker.Catches, behave: func(_ int, p *fakeProcess) { p.lasts = time.Hour }}
	d := chain()
	d.Pools[2].PreStart = []string{"migrate"}
	perform(t, w, described(w, d), func(s *stage) {
		v := s.ask(Request{Verb: Reload}).answer()
		if want := "pool web is waiting\npool queue is preparing\nSIGHUP relayed to 1 of 1 workers of pool db"; v.Err != nil || v.Text != want {
			t.Errorf("%+v, want %q", v, want)
		}
		d.Pools = d.Pools[1:]
		w.put(d, nil)
		if v := s.ask(Request{Verb: Reload}).answer(); v.Err != nil || len(s.sup.pools) != 2 {
			t.Errorf("%+v", v)
		}
		s.after(2 * time.Hour)
		s.want("start db.0/1", "run migrate", "HUP db.0/1", "HUP db.0/1", "start queue.0/1")
		s.checkRest()
	})
}

func TestPoolsStopInReverse(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.drain = 10 * time.Second }}
	perform(t, w, described(w, chain()), func(s *stage) {
		begun := len(w.lines())
		s.signals <- syscall.SIGTERM
		s.after(5 * time.Second)
		s.wantFrom(begun, "TERM web.0/1")
		if v := s.ask(Request{Verb: Roll, Pool: "db"}).answer(); !errors.Is(v.Err, ErrStopped) {
			t.Errorf("roll of a pool that still serves: %+v", v)
		}
		if v := s.ask(Request{Verb: Scale, Pool: "db", Workers: 3}).answer(); !errors.Is(v.Err, ErrStopped) {
			t.Errorf("scale of a pool that still serves: %+v", v)
		}
		if v := s.ask(Request{Verb: Reload}).answer(); !errors.Is(v.Err, ErrStopped) {
			t.Errorf("reload: %+v", v)
		}
		s.after(time.Minute)
		s.wantFrom(begun, "TERM web.0/1", "end web.0/1", "TERM queue.0/1", "end queue.0/1", "TERM db.0/1", "end db.0/1")
		if code := <-s.code; code != 0 {
			t.Errorf("exit code %d", code)
		}
		s.code <- 0
		i := slices.IndexFunc(w.told(), func(state string) bool { return strings.HasPrefix(state, "STOPPING=1") })
		if got, want := w.told()[i], "STOPPING=1\nEXTEND_TIMEOUT_USEC=100000000"; got != want { // 3 graces and a margin
			t.Errorf("systemd heard %q, want %q", got, want)
		}
	})
}

// The ladder goes on while pools further up serve: the second and third ask those again that have been told, the fourth
// ends all.
func TestTerminationsWhilePoolsStillServe(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.stubborn = p.pool() == "web" }}
	perform(t, w, described(w, chain()), func(s *stage) {
		begun := len(w.lines())
		for i := range 3 {
			s.signals <- syscall.SIGTERM
			s.after(time.Second)
			if notes := s.logged("termination asked for again; the fourth time everything is killed"); len(notes) != i || i > 0 && notes[i-1]["terminations"] != float64(i+1) {
				t.Errorf("after %d terminations: %v", i+1, notes)
			}
		}
		s.wantFrom(begun, "TERM web.0/1", "TERM web.0/1", "TERM web.0/1")
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		if code := <-s.code; code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		s.code <- 1
		if left := w.living(); len(left) > 0 {
			t.Errorf("%d workers live on", len(left))
		}
	})
}

func TestRequirementsOfTheStart(t *testing.T) {
	needy := but(poolNamed("a"), func(p *plan.Pool) {
		p.Requires, p.RequiresTimeout = []string{"env:KEY", "file:/key", "tcp://db:1"}, 30*time.Second
	})
	w := &world{}
	w.lacks("env:KEY", true)
	w.lacks("tcp://db:1", true)
	perform(t, w, described(w, desire(nil, needy, after(poolNamed("b"), "a"), poolNamed("c"))), func(s *stage) {
		if code := <-s.code; code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		s.code <- 1
		lines := s.logged("cannot start")
		if len(lines) != 2 {
			t.Fatalf("%d lines: %v", len(lines), lines)
		}
		for i, r := range []string{"env:KEY", "tcp://db:1"} {
			if want := "cannot start pool a: requirement does not hold: " + r + " is not there"; lines[i]["error"] != want {
				t.Errorf("%v, want %q", lines[i], want)
			}
		}
		for _, line := range w.lines() {
			if strings.HasPrefix(line, "start a") || strings.HasPrefix(line, "start b") {
				t.Error(line)
			}
		}
	})
}

// While a pool waits for what it requires, people see what that is.
func TestRequirementThatIsAwaited(t *testing.T) {
	var there chan struct{}
	w := &world{}
	held := func(c *Config) { // channels of the bubble
		there = make(chan struct{})
		w.check = func(ctx context.Context, timeout time.Duration, _ Checked) []error {
			if timeout > 0 {
				<-there
				return nil
			}
			select {
			case <-there:
				return nil
			default:
				return []error{errors.New("tcp://db:1 is not there")}
			}
		}
		described(w, desire(nil, but(sized(poolNamed("a"), 1), func(p *plan.Pool) {
			p.Requires, p.RequiresTimeout = []string{"tcp://db:1"}, time.Minute
		})))(c)
	}
	perform(t, w, held, func(s *stage) {
		snap := s.sup.Snapshot()
		if p := snap.Pools[0]; p.Phase != "preparing" || !slices.Equal(p.Unmet, []string{"tcp://db:1 is not there"}) {
			t.Errorf("while it waits: %+v", p)
		}
		if n := len(s.logged("requirement does not hold yet")); n != 1 {
			t.Errorf("said %d times", n)
		}
		close(there)
		s.after(time.Second)
		if p := s.sup.Snapshot().Pools[0]; p.Ready != 1 || len(p.Unmet) != 0 {
			t.Errorf("afterwards: %+v", p)
		}
	})
}

// A stop does not wait until a requirement has had its time.
func TestStopWhileRequirementsAreChecked(t *testing.T) {
	w := &world{check: func(ctx context.Context, _ time.Duration, _ Checked) []error {
		<-ctx.Done()
		return []error{ctx.Err()}
	}}
	needy := but(poolNamed("a"), func(p *plan.Pool) { p.Requires = []string{"tcp://db:1"} })
	perform(t, w, described(w, desire(nil, needy)), func(s *stage) {
		if p := s.sup.Snapshot().Pools[0]; p.Phase != "preparing" {
			t.Errorf("pool: %+v", p)
		}
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		if code := <-s.code; code != 0 {
			t.Errorf("exit code %d", code)
		}
		s.code <- 0
		s.want()
	})
}

// A migration is run once for the pool, before its first worker, and again for each generation.
func TestPreStartRunsOncePerGeneration(t *testing.T) {
	migrating := but(sized(poolNamed("a"), 3), func(p *plan.Pool) {
		p.PreStart = []string{"first", "second"}
		p.Recipe.WorkerIDEnv = []string{"ID"}
	})
	w := &world{behave: func(_ int, p *fakeProcess) { p.lasts = time.Second }}
	perform(t, w, described(w, desire(nil, migrating)), func(s *stage) {
		s.after(2 * time.Second)
		s.want("run first", "run second", "start a.0/1", "start a.1/1", "start a.2/1")
		for _, name := range []string{"NOTIFY_SOCKET", "BROOD_SLOT", "BROOD_WORKER_ID", "ID", "BROOD_FDS", "LISTEN_FDS"} {
			if got := s.world.process(0).env(name); got != "" {
				t.Errorf("the command has %s=%s", name, got)
			}
		}
		s.world.process(2).end(worker.Exit{Code: 1})
		s.after(time.Minute)
		begun := len(w.lines())
		first, second := s.ask(Request{Verb: Roll}), s.ask(Request{Verb: Roll})
		s.after(time.Minute)
		if v := first.answer(); v.Err != nil {
			t.Errorf("first: %+v", v)
		}
		if v := second.answer(); v.Err != nil {
			t.Errorf("second: %+v", v)
		}
		runs := slices.DeleteFunc(w.lines()[begun:], func(line string) bool { return !strings.HasPrefix(line, "run ") })
		if want := []string{"run first", "run second", "run first", "run second"}; !slices.Equal(runs, want) {
			t.Errorf("%q for two rollouts, want %q", runs, want)
		}
	})
}

// A rollout and a reload of one pool do not run its commands beside each other.
func TestPreStartOfAReloadWaitsForItsTurn(t *testing.T) {
	migrating := but(sized(poolNamed("a"), 1), func(p *plan.Pool) { p.PreStart = []string{"migrate"} })
	w := &world{behave: func(_ int, p *fakeProcess) { p.lasts = 10 * time.Second }}
	perform(t, w, described(w, desire(nil, migrating)), func(s *stage) {
		s.after(time.Minute)
		roll := s.ask(Request{Verb: Roll})
		w.put(desire(nil, newer(migrating)), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := roll.answer(); v.Err != nil {
			t.Errorf("roll: %+v", v)
		}
		if v := reload.answer(); v.Err != nil {
			t.Errorf("reload: %+v", v)
		}
		var free time.Time
		for _, p := range w.procs {
			if p.isChore() {
				if p.begun.Before(free) {
					t.Errorf("a command begins at %v, while another one runs until %v", p.begun, free)
				}
				free = p.begun.Add(p.lasts)
			}
		}
		s.checkRest()
	})
}

func TestPreStartThatFails(t *testing.T) {
	migrating := but(poolNamed("a"), func(p *plan.Pool) { p.PreStart = []string{"migrate"} })
	fails := func(_ int, p *fakeProcess) { p.exit = worker.Exit{Code: 3} }
	t.Run("refuses the start", func(t *testing.T) {
		w := &world{behave: fails}
		perform(t, w, described(w, desire(nil, migrating)), func(s *stage) {
			if code := <-s.code; code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			s.code <- 1
			s.want("run migrate")
			if lines := s.logged("cannot start"); len(lines) != 1 || fmt.Sprint(lines[0]["last_lines"]) != "[last words]" {
				t.Errorf("log: %v", lines)
			}
		})
	})
	t.Run("refuses the rollout", func(t *testing.T) {
		w := &world{}
		perform(t, w, described(w, desire(nil, migrating)), func(s *stage) {
			before := s.picture()
			w.behave = fails
			v := s.ask(Request{Verb: Roll}).answer()
			if !errors.Is(v.Err, ErrPreStart) || len(v.Lines) == 0 {
				t.Errorf("verdict: %+v", v)
			}
			if got := s.picture(); !slices.Equal(got, before) {
				t.Errorf("now %q, before %q", got, before)
			}
		})
	})
}

// A requirement that vanishes is said once, and so is its return.
func TestRequirementThatVanishes(t *testing.T) {
	needy := but(sized(poolNamed("a"), 1), func(p *plan.Pool) { p.Requires = []string{"tcp://db:1"} })
	w := &world{}
	perform(t, w, described(w, desire(nil, needy)), func(s *stage) {
		crash := func() {
			living := w.living()
			living[0].end(worker.Exit{Code: 1})
			s.after(time.Minute)
		}
		crash()
		if n := len(s.logged("requirement does not hold any more")); n != 0 {
			t.Errorf("%d complaints while all is there", n)
		}
		w.lacks("tcp://db:1", true)
		for range 3 {
			crash()
		}
		lines := s.logged("requirement does not hold any more")
		if len(lines) != 1 || lines[0]["error"] != "tcp://db:1 is not there" {
			t.Errorf("complaints: %v", lines)
		}
		if snap := s.sup.Snapshot(); !slices.Equal(snap.Pools[0].Unmet, []string{"tcp://db:1 is not there"}) ||
			!strings.Contains(snap.Summary(), "tcp://db:1 is not there") {
			t.Errorf("status: %s", snap.Summary())
		}
		w.lacks("tcp://db:1", false)
		crash()
		if n := len(s.logged("requirements hold again")); n != 1 || len(s.sup.Snapshot().Pools[0].Unmet) != 0 {
			t.Errorf("said %d times that it is back", n)
		}
	})
}
