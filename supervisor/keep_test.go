package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// armoury is a directory of executables that get replaced.
type armoury struct {
	t    testing.TB
	path string
	made int
}

func newArmoury(t testing.TB) *armoury {
	a := &armoury{t: t, path: filepath.Join(t.TempDir(), "server")}
	a.replace()
	return a
}

// replace puts another file in the place of the executable.
func (a *armoury) replace() {
	a.t.Helper()
	a.made++
	next := a.path + ".next"
	if err := errors.Join(os.WriteFile(next, []byte("\x7fELF"+strconv.Itoa(a.made)), 0o700), os.Rename(next, a.path)); err != nil {
		a.t.Fatal(err)
	}
}

// held counts the descriptors that are open on any of the files.
func (a *armoury) held() int {
	a.t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		a.t.Fatal(err)
	}
	n := 0
	for _, fd := range all {
		if target, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && filepath.Dir(target) == filepath.Dir(a.path) {
			n++
		}
	}
	return n
}

// armed is a pool that runs the executable.
func (a *armoury) armed(name string) plan.Pool {
	return but(poolNamed(name), func(p *plan.Pool) { p.Recipe.Argv = []string{a.path} })
}

// keeping begins with a description, and keeps executables.
func keeping(w *world, d plan.Desired) func(*Config) {
	return func(c *Config) {
		described(w, d)(c)
		c.World.Keep = worker.Keep
	}
}

// programs are what the living workers of a pool were started from.
func (w *world) programs(pool string) []*worker.Program {
	var found []*worker.Program
	for _, p := range w.living() {
		if p.pool() == pool {
			found = append(found, p.cmd.Program)
		}
	}
	return found
}

// What goes back goes back to the executable that it had, whatever lies in its place by now: when its rollout fails, and
// when it had ended well and something else fails.
func TestWayBackLeadsToTheOldExecutable(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail func(n int, p *fakeProcess)
	}{
		{"its own worker fails", dying("a", "2", "1")},
		{"another pool fails", late("b", "1", "0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, arms := &world{}, newArmoury(t)
			perform(t, w, keeping(w, desire(nil, arms.armed("a"), arms.armed("removed"))), func(s *stage) {
				before, removed := w.programs("a"), w.programs("removed")
				arms.replace()
				w.behave = tt.fail
				w.put(desire(nil, arms.armed("a"), after(arms.armed("b"), "a")), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(5 * time.Minute)
				if v := reload.answer(); !errors.Is(v.Err, ErrReload) {
					t.Errorf("verdict: %+v", v)
				}
				if now := w.programs("a"); !slices.Equal(now, before) {
					t.Errorf("programs %p, were %p", now, before)
				}
				if now := w.programs("removed"); !slices.Equal(now, removed) {
					t.Errorf("programs %p, were %p", now, removed)
				}
				if n := arms.held(); n != 2 {
					t.Errorf("%d executables are held, want those of 2 pools", n)
				}
				s.checkRest()
				s.after(time.Minute)
				w.behave = nil
				reload = s.ask(Request{Verb: Reload})
				s.after(time.Minute)
				if v := reload.answer(); v.Err != nil || !sameLines(v.Text,
					"a: rolled (executable replaced)\nb: added, 2 workers\nremoved: removed, 2 workers") {
					t.Errorf("verdict: %+v", v)
				}
				if n := arms.held(); n != 2 {
					t.Errorf("%d executables are held, want those of 2 pools", n)
				}
			})
			if n := arms.held(); n != 0 {
				t.Errorf("%d executables are held at the end", n)
			}
		})
	}
}

// The pool that makes way and must come back has its executable too.
func TestRevivedPoolHasItsExecutable(t *testing.T) {
	w, arms := &world{}, newArmoury(t)
	old := but(arms.armed("old"), func(p *plan.Pool) { p.Listen = []string{"api"} })
	perform(t, w, keeping(w, desire(listening(api), sized(old, 1), poolNamed("b"))), func(s *stage) {
		s.ask(Request{Verb: Scale, Pool: "old", Workers: 3})
		before := s.picture()
		programs := w.programs("old")
		arms.replace()
		w.behave = dying("new", "1", "0")
		w.put(desire(listening(api), poolNamed("new", "api"), poolNamed("b")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		checkFailed(t, reload.answer(), "the new configuration does not work: worker new.0", true)
		if now := w.programs("old"); !slices.Equal(now, programs) {
			t.Errorf("programs %p, were %p", now, programs)
		}
		if now := s.picture(); !slices.Equal(now, before) {
			t.Errorf("now %q, before %q", now, before)
		}
		if n := arms.held(); n != 1 {
			t.Errorf("%d executables are held", n)
		}
		s.checkRest()
	})
}

// Rollouts that are refused, replaced in the queue, or fail leave nothing behind.
func TestExecutablesAreLetGo(t *testing.T) {
	w, arms := &world{}, newArmoury(t)
	migrating := but(arms.armed("a"), func(p *plan.Pool) { p.PreStart = []string{"migrate"} })
	perform(t, w, keeping(w, desire(nil, migrating)), func(s *stage) {
		s.after(time.Second)
		for range 4 {
			s.ask(Request{Verb: Roll})
			s.after(time.Second / 10)
		}
		s.after(time.Minute)
		w.behave = func(_ int, p *fakeProcess) { p.exit = worker.Exit{Code: 1} }
		if v := s.ask(Request{Verb: Roll}).answer(); !errors.Is(v.Err, ErrPreStart) {
			t.Errorf("roll: %+v", v)
		}
		w.behave = func(_ int, p *fakeProcess) {
			if !p.isChore() {
				p.ready = -1
			}
		}
		roll := s.ask(Request{Verb: Roll})
		s.after(5 * time.Minute)
		if v := roll.answer(); !errors.Is(v.Err, ErrRollout) {
			t.Errorf("roll: %+v", v)
		}
		if n := arms.held(); n != 1 {
			t.Errorf("%d executables are held, want that of one pool", n)
		}
	})
	if n := arms.held(); n != 0 {
		t.Errorf("%d executables are held at the end", n)
	}
}
