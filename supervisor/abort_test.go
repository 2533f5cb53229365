package supervisor

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
)

// abort takes a reload back, which must be answered at once.
func (s *stage) abort(words string) {
	s.t.Helper()
	if v := s.ask(Request{Verb: Reload, Abort: true}).answer(); v.Err != nil || !strings.Contains(v.Text, words) {
		s.t.Errorf("abort: %+v, want %q", v, words)
	}
}

// A command that hangs before anything is changed can be aborted, and does not run on.
func TestAbortOfAPreStartThatHangs(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, desire(nil, migrating(leveled(poolNamed("a"), "1"), "migrate"))), func(s *stage) {
		s.after(time.Second)
		begin, before := len(w.lines()), s.picture()
		w.behave = choresLast(forEver)
		w.put(desire(nil, migrating(leveled(poolNamed("a"), "2"), "hangs")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Hour)
		s.abort("nothing had changed")
		checkFailed(t, reload.answer(), "aborted by request", false)
		s.wantFrom(begin, "run hangs", "group KILL hangs")
		if !slices.Equal(s.picture(), before) {
			t.Errorf("now %q, before %q", s.picture(), before)
		}
		w.behave = nil
		again := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := again.answer(); v.Err != nil || w.levels("a") != "2" {
			t.Errorf("once more: %+v, level %q", v, w.levels("a"))
		}
		s.checkRest()
	})
}

// The same for one that is run in the middle of a reload, because its pool comes after others.
func TestAbortOfAPreStartThatHangsAtItsTurn(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, desire(nil, leveled(sized(poolNamed("a"), 1), "1"))), func(s *stage) {
		before := s.picture()
		w.behave = choresLast(forEver)
		a := after(migrating(leveled(poolNamed("a"), "2"), "hangs"), "db")
		w.put(desire(nil, sized(poolNamed("db"), 1), a), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Hour)
		if w.ran("hangs") != 1 || !reload.waits() {
			t.Errorf("diary: %q", w.lines())
		}
		s.abort("what it changed goes back")
		checkFailed(t, reload.answer(), "aborted by request", false)
		s.after(time.Minute)
		if !slices.Contains(w.lines(), "group KILL hangs") || !slices.Equal(s.picture(), before) {
			t.Errorf("diary: %q\nnow %q, before %q", w.lines(), s.picture(), before)
		}
		s.checkRest()
	})
}

// The rollouts of a reload that changes nothing, and of one that reads no file, can be aborted before they have begun.
func TestAbortOfAReloadThatOnlyRolls(t *testing.T) {
	for _, file := range []bool{true, false} {
		t.Run(map[bool]string{true: "unchanged file", false: "no file"}[file], func(t *testing.T) {
			w := &world{}
			change := func(c *Config) {
				described(w, desire(nil, migrating(poolNamed("a"), "migrate"), sized(poolNamed("b"), 1)))(c)
				if !file {
					c.World.Load = nil
				}
			}
			perform(t, w, change, func(s *stage) {
				s.after(time.Second)
				before := s.picture()
				w.behave = func(_ int, p *fakeProcess) { p.lasts, p.ready = time.Minute, 30*time.Second }
				reload := s.ask(Request{Verb: Reload})
				s.after(5 * time.Second)
				s.abort("the pools that it rolled go back")
				s.after(time.Hour)
				v := reload.answer()
				if !errors.Is(v.Err, ErrAborted) || !errors.Is(v.Err, ErrRollout) {
					t.Errorf("verdict: %+v", v)
				}
				if w.ran("migrate") != 2 || !slices.Contains(w.lines(), "group KILL migrate") || !slices.Equal(s.picture(), before) {
					t.Errorf("diary: %q\nnow %q, before %q", w.lines(), s.picture(), before)
				}
				s.checkRest()
			})
		})
	}
}

// reader reads files as a file system does that may hang.
type reader struct {
	release chan struct{} // the first of its readings waits for this
	found   plan.Desired  // by that one
	reads   int
}

// hanging begins with a description, and a file whose next reading hangs.
func hanging(w *world, r *reader, d plan.Desired) func(*Config) {
	return func(c *Config) {
		described(w, d)(c)
		r.release = make(chan struct{})
		c.World.Load = func() (plan.Desired, error) {
			w.mu.Lock()
			r.reads++
			first := r.reads == 1
			w.mu.Unlock()
			if !first {
				return w.load()
			}
			<-r.release
			return r.found, nil
		}
	}
}

// A file system that hangs holds up neither who aborts nor the next reload, and what it says at last is thrown away.
func TestAbortOfAReadingThatHangs(t *testing.T) {
	w, r := &world{}, &reader{found: desire(listening(api, admin), leveled(sized(poolNamed("a", "api", "admin"), 1), "late"))}
	perform(t, w, hanging(w, r, one("1")), func(s *stage) {
		w.put(one("2"), nil)
		reload := s.ask(Request{Verb: Reload})
		behind := s.ask(Request{Verb: Reload})
		s.after(time.Hour)
		if !reload.waits() || !behind.waits() {
			t.Error("answered too early")
		}
		s.abort("nothing had changed")
		checkFailed(t, reload.answer(), "aborted by request", false)
		s.after(time.Minute)
		if v := behind.answer(); v.Err != nil || w.levels("a") != "2" {
			t.Errorf("behind it: %+v, level %q", v, w.levels("a"))
		}
		s.checkRest()
		close(r.release)
		s.after(time.Minute)
		if w.levels("a") != "2" || s.sup.Snapshot().Config.Reload.State != "done" {
			t.Errorf("level %q, %s", w.levels("a"), s.summary())
		}
		s.checkRest() // with no listener more than there is
	})
}

// Nor does it hold up the end.
func TestStopWhileAReadingHangs(t *testing.T) {
	for _, aborted := range []bool{false, true} {
		t.Run(map[bool]string{false: "waited for", true: "aborted"}[aborted], func(t *testing.T) {
			w, r := &world{}, &reader{}
			perform(t, w, hanging(w, r, one("1")), func(s *stage) {
				reload := s.ask(Request{Verb: Reload})
				if aborted {
					s.abort("nothing had changed")
				}
				s.signals <- syscall.SIGTERM
				synctest.Wait()
				s.after(lastWords + time.Second)
				select {
				case code := <-s.code:
					if code != 0 {
						t.Errorf("exit code %d", code)
					}
					s.code <- code
				default:
					t.Error("it does not end")
				}
				if v := reload.answer(); v.Err == nil {
					t.Errorf("verdict: %+v", v)
				}
				close(r.release)
				synctest.Wait()
			})
		})
	}
}

// What has stopped to take connections for a removal takes them again as soon as it is aborted, not when the last of its
// workers has ended and somebody new serves.
func TestAbortOfARemovalResumesItsListener(t *testing.T) {
	w := &world{}
	a, b := sized(poolNamed("a", "api"), 1), sized(poolNamed("b", "admin"), 1)
	perform(t, w, described(w, desire(listening(api, admin), a, b)), func(s *stage) {
		before := s.picture()
		for _, p := range w.living() {
			p.drain = 25 * time.Second
		}
		w.put(desire(listening(api), a), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(3 * time.Second)
		if !strings.Contains(strings.Join(w.serving(), ";"), "paused") {
			t.Errorf("serving: %q", w.serving())
		}
		s.abort("what it changed goes back")
		checkFailed(t, reload.answer(), "aborted by request", false)
		if n := len(w.living()); n != 2 || strings.Contains(strings.Join(w.serving(), ";"), "paused") {
			t.Errorf("serving: %q with %d workers", w.serving(), n)
		}
		s.after(time.Minute)
		if !slices.Equal(s.picture(), before) {
			t.Errorf("now %q, before %q", s.picture(), before)
		}
		s.checkRest()
	})
}

// Nobody can say when a pool will be ready that others wait for. A reload that adds one of those can be taken back.
func TestAbortOfAReloadThatWaitsForAPool(t *testing.T) {
	db := sized(poolNamed("db"), 1)
	w := &world{behave: func(_ int, p *fakeProcess) {
		if p.pool() == "db" {
			p.ready = -1
		}
	}}
	perform(t, w, described(w, desire(nil, db)), func(s *stage) {
		w.put(desire(nil, db, after(poolNamed("web"), "db")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Hour)
		if !reload.waits() || !strings.Contains(s.summary(), "web 0/2 ready, waits for db") {
			t.Errorf("%s", s.summary())
		}
		s.abort("what it changed goes back")
		checkFailed(t, reload.answer(), "aborted by request", false)
		s.after(time.Second)
		if len(s.sup.pools) != 1 || s.sup.transaction != nil {
			t.Errorf("%s", s.summary())
		}
	})
}
