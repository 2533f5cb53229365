package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// migrating is a pool of one with one-shot commands.
func migrating(p plan.Pool, commands ...string) plan.Pool {
	return but(sized(p, 1), func(p *plan.Pool) { p.PreStart = commands })
}

// choresLast makes one-shot commands take a while; the workers are ready at once.
func choresLast(d time.Duration) func(int, *fakeProcess) {
	return func(_ int, p *fakeProcess) {
		if p.isChore() {
			p.lasts = d
		}
	}
}

// forEver is longer than any story.
const forEver = 1000 * time.Hour

// levels are those of the living workers of a pool.
func (w *world) levels(pool string) string {
	var all []string
	for _, p := range w.living() {
		if p.pool() == pool {
			all = append(all, p.env("LEVEL"))
		}
	}
	return strings.Join(all, " ")
}

// ran counts how often a command was begun.
func (w *world) ran(command string) int {
	n := 0
	for _, line := range w.lines() {
		if line == "run "+command {
			n++
		}
	}
	return n
}

// What a roll was prepared for is gone when a reload was faster: it is prepared once more, and no worker gets the program
// of one command with the arguments of the other.
func TestRollThatWasPreparedForWhatIsGone(t *testing.T) {
	w, before, then := &world{}, newArmoury(t), newArmoury(t)
	perform(t, w, keeping(w, desire(nil, migrating(before.armed("a"), "migrate"))), func(s *stage) {
		s.after(time.Minute)
		w.behave = choresLast(2 * time.Second)
		old := w.programs("a")[0]
		w.put(desire(nil, migrating(then.armed("a"), "migrate")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Second)
		roll := s.ask(Request{Verb: Roll})
		s.after(time.Hour)
		if v := reload.answer(); v.Err != nil {
			t.Errorf("reload: %+v", v)
		}
		if v := roll.answer(); v.Err != nil || v.Text != "pool a is at generation 3" {
			t.Errorf("roll: %+v", v)
		}
		for i := range w.launched {
			p := w.process(i)
			if !p.isChore() && (p.cmd.Argv[0] == before.path) != (p.cmd.Program == old) {
				t.Errorf("worker %s runs %v from another program", p.name(), p.cmd.Argv)
			}
		}
		if before.held() != 0 || then.held() != 1 {
			t.Errorf("held: %d of the old program, %d of the new one", before.held(), then.held())
		}
		s.checkRest()
	})
}

// A pool that is still preparing is not held to what a reload has put right.
func TestReloadTakesARequirementFromAPoolThatPrepares(t *testing.T) {
	w := &world{check: func(ctx context.Context, timeout time.Duration, c Checked) []error {
		if !slices.Contains(c.Requires, "env:KEY") {
			return nil
		}
		select {
		case <-time.After(timeout):
		case <-ctx.Done():
		}
		return []error{errors.New("KEY is not set")}
	}}
	a := but(sized(poolNamed("a"), 1), func(p *plan.Pool) { p.RequiresTimeout = time.Minute })
	needy := but(a, func(p *plan.Pool) { p.Requires = []string{"env:KEY"} })
	perform(t, w, described(w, desire(nil, needy)), func(s *stage) {
		s.after(10 * time.Second)
		w.put(desire(nil, a), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Second)
		if v := reload.answer(); v.Err != nil || s.summary() != "1/1 ready" {
			t.Errorf("verdict: %+v, %s", v, s.summary())
		}
		s.after(5 * time.Minute)
		if len(s.code) > 0 {
			t.Error("the old requirement has ended the supervisor")
		}
		s.wantFrom(0, "start a.0/1")
		s.checkRest()
	})
}

// The commands that a reload has replaced do not count, and do not run on beside the new ones.
func TestReloadReplacesPreStartOfAPoolThatPrepares(t *testing.T) {
	for _, tt := range []struct {
		name  string
		then  plan.Pool
		diary []string
	}{
		{
			"by another", migrating(leveled(poolNamed("a"), "2"), "new"),
			[]string{"run old", "group KILL old", "run new", "start a.0/1"},
		},
		{
			"only that", migrating(leveled(poolNamed("a"), "1"), "new"),
			[]string{"run old", "group KILL old", "run new", "start a.0/1"},
		},
		{
			"by none", migrating(leveled(poolNamed("a"), "2")),
			[]string{"run old", "start a.0/1", "group KILL old"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{behave: func(_ int, p *fakeProcess) {
				if p.isChore() && p.name() == "old" {
					p.lasts = forEver
				}
			}}
			perform(t, w, described(w, desire(nil, migrating(leveled(poolNamed("a"), "1"), "old"))), func(s *stage) {
				s.after(10 * time.Second)
				w.put(desire(nil, tt.then), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				if v := reload.answer(); v.Err != nil {
					t.Errorf("verdict: %+v", v)
				}
				if len(tt.then.PreStart) == 0 { // nobody waits for the end of what nobody needs any more
					tt.diary, w.diary = slices.Sorted(slices.Values(tt.diary)), slices.Sorted(slices.Values(w.diary))
				}
				s.want(tt.diary...)
				s.checkRest()
			})
		})
	}
}

// A pool that waits for another one runs its commands once, when it is its turn, also if a reload changes it before.
func TestHeldPoolThatIsRolledRunsItsPreStartAtItsTurn(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) {
		if p.pool() == "db" && !p.isChore() {
			p.ready = 30 * time.Second
		}
	}}
	d := func(level string) plan.Desired {
		return desire(nil, sized(poolNamed("db"), 1), after(migrating(leveled(poolNamed("web"), level), "migrate"), "db"))
	}
	perform(t, w, described(w, d("1")), func(s *stage) {
		s.after(time.Second)
		w.put(d("2"), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(10 * time.Second)
		s.want("start db.0/1")
		s.after(time.Hour)
		if v := reload.answer(); v.Err != nil || w.levels("web") != "2" {
			t.Errorf("verdict: %+v, level %q", v, w.levels("web"))
		}
		s.want("start db.0/1", "run migrate", "start web.0/1")
		s.checkRest()
	})
}

// A pool that was still preparing when it had to make way prepares again when it comes back: what it needs was not seen to.
func TestRevivedPoolThatHadNotStartedPrepares(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) {
		switch {
		case p.isChore():
			p.lasts = time.Minute
		case p.pool() == "b":
			p.ready = -1
			time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}}
	k := sized(poolNamed("k"), 1)
	perform(t, w, described(w, desire(listening(api), migrating(poolNamed("a", "api"), "migrate"), k)), func(s *stage) {
		s.after(time.Second)
		w.put(desire(listening(api), sized(poolNamed("b", "api"), 1), k), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(10 * time.Second)
		checkFailed(t, reload.answer(), "worker b.0", true)
		if p := s.sup.Snapshot().Pools[0]; p.Name != "a" || p.Phase != "preparing" {
			t.Errorf("pool: %+v", p)
		}
		s.after(10 * time.Minute)
		var ofA []string
		for _, line := range w.lines() {
			if strings.HasSuffix(line, "migrate") || strings.Contains(line, " a.") {
				ofA = append(ofA, line)
			}
		}
		if want := []string{"run migrate", "group KILL migrate", "run migrate", "start a.0/1"}; !slices.Equal(ofA, want) {
			t.Errorf("%q, want %q", ofA, want)
		}
		s.checkRest()
	})
}

// What a rolled pool requires may be what a pool brings that the same reload adds before it.
func TestRolledPoolRequiresWhatAnAddedOneBrings(t *testing.T) {
	w := &world{}
	w.lacks("tcp://db", true)
	w.behave = func(_ int, p *fakeProcess) {
		if p.pool() == "db" {
			w.lacks("tcp://db", false)
		}
	}
	perform(t, w, described(w, desire(nil, leveled(sized(poolNamed("web"), 1), "1"))), func(s *stage) {
		web := but(after(migrating(leveled(poolNamed("web"), "2"), "migrate"), "db"), func(p *plan.Pool) { p.Requires = []string{"tcp://db"} })
		w.put(desire(nil, sized(poolNamed("db"), 1), web), nil)
		begin := len(w.lines())
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil {
			t.Errorf("verdict: %+v", v)
		}
		s.wantFrom(begin, "start db.0/1", "run migrate", "start web.0/2", "TERM web.0/1", "end web.0/1")
		s.checkRest()
	})
}
