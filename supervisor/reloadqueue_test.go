package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

func one(level string) plan.Desired {
	return desire(listening(api), leveled(sized(poolNamed("a", "api"), 1), level))
}

// slow makes the workers of a configuration take ten seconds to be ready.
func slow(level string) func(int, *fakeProcess) {
	return func(_ int, p *fakeProcess) {
		if p.env("LEVEL") == level {
			p.ready = 10 * time.Second
		}
	}
}

// level is the configuration that the living workers are of.
func (s *stage) level() string {
	var levels []string
	for _, p := range s.world.living() {
		levels = append(levels, p.env("LEVEL"))
	}
	return strings.Join(levels, " ")
}

func TestReloadsDuringAReloadShareTheLatest(t *testing.T) {
	w := &world{behave: slow("2")}
	perform(t, w, described(w, one("1")), func(s *stage) {
		w.put(one("2"), nil)
		first := s.ask(Request{Verb: Reload})
		w.put(one("3"), nil)
		second := s.ask(Request{Verb: Reload})
		w.put(one("4"), nil)
		third := s.ask(Request{Verb: Reload})
		s.after(5 * time.Second)
		if !first.waits() || !second.waits() || !third.waits() {
			t.Error("answered before the end")
		}
		s.after(time.Minute)
		for i, a := range []*asked{first, second, third} {
			if v := a.answer(); v.Err != nil || v.Text != "a: rolled (env LEVEL)" {
				t.Errorf("verdict %d: %+v", i, v)
			}
		}
		if s.level() != "4" || w.reads != 2 || s.sup.Snapshot().Config.Reloads != 2 {
			t.Errorf("level %s after %d readings", s.level(), w.reads)
		}
		s.checkRest()
		if begun, _ := s.reloadings(); begun != 2 {
			t.Errorf("systemd heard of %d reloads", begun)
		}
	})
}

// The one that fails does not take along those behind it.
func TestReloadBehindOneThatFails(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) {
		if p.env("LEVEL") == "2" {
			p.ready = -1
			time.AfterFunc(5*time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}}
	perform(t, w, described(w, one("1")), func(s *stage) {
		w.put(one("2"), nil)
		first := s.ask(Request{Verb: Reload})
		w.put(one("3"), nil)
		second := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		checkFailed(t, first.answer(), "exit 3", true)
		if v := second.answer(); v.Err != nil || s.level() != "3" {
			t.Errorf("second: %+v, level %s", v, s.level())
		}
		s.checkRest()
	})
}

// aborts come at different times of a reload that takes 2 s to be prepared and 10 s to be applied.
func TestAbortedReload(t *testing.T) {
	for _, tt := range []struct {
		at      time.Duration
		abort   string // words of the answer
		failed  bool
		verdict string // of the reload
	}{
		{time.Second, "nothing had changed", false, "aborted by request"},
		{5 * time.Second, "what it changed goes back", false, "aborted by request"},
		{time.Minute, "none is under way", true, ""},
	} {
		t.Run(tt.at.String(), func(t *testing.T) {
			w := &world{behave: slow("2"), reading: 2 * time.Second}
			perform(t, w, described(w, one("1")), func(s *stage) {
				before := s.picture()
				w.put(one("2"), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(tt.at)
				v := s.ask(Request{Verb: Reload, Abort: true}).answer()
				if errors.Is(v.Err, ErrNothing) != tt.failed || !strings.Contains(v.Text+fmt.Sprint(v.Err), tt.abort) {
					t.Errorf("abort: %+v", v)
				}
				again := s.ask(Request{Verb: Reload, Abort: true}).answer()
				if tt.abort != "nothing had changed" && !errors.Is(again.Err, ErrNothing) {
					t.Errorf("abort once more: %+v", again)
				}
				s.after(2 * time.Minute)
				v = reload.answer()
				if tt.failed {
					if v.Err != nil || s.level() != "2" {
						t.Errorf("verdict: %+v, level %s", v, s.level())
					}
				} else if !errors.Is(v.Err, ErrAborted) || !errors.Is(v.Err, ErrReload) || !slices.Equal(s.picture(), before) {
					t.Errorf("verdict: %+v, level %s", v, s.level())
				}
				s.checkRest()
			})
		})
	}
}

func TestAbortWithoutAReload(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, one("1")), func(s *stage) {
		if v := s.ask(Request{Verb: Reload, Abort: true}).answer(); !errors.Is(v.Err, ErrNothing) {
			t.Errorf("%+v", v)
		}
	})
}

// What a reload rolls although nothing changed goes back as well.
func TestAbortOfAReloadInWhichNothingChanged(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, desire(nil, poolNamed("a"), poolNamed("b"))), func(s *stage) {
		w.behave = func(_ int, p *fakeProcess) { p.ready = 10 * time.Second }
		reload := s.ask(Request{Verb: Reload})
		if v := s.ask(Request{Verb: Reload, Abort: true}).answer(); v.Err != nil {
			t.Errorf("abort: %+v", v)
		}
		s.after(time.Minute)
		if v := reload.answer(); !errors.Is(v.Err, ErrRollout) {
			t.Errorf("verdict: %+v", v)
		}
		if p := s.sup.Snapshot().Pools[0]; p.Generation != 1 || p.Ready != 2 {
			t.Errorf("pool: %+v", p)
		}
		s.checkRest()
	})
}

// A stop comes in the middle of everything that a reload does: while it is prepared, applied, taken back, and with one
// behind it.
func TestStopDuringAReload(t *testing.T) {
	failing := func(_ int, p *fakeProcess) {
		if p.env("LEVEL") == "2" {
			p.ready = -1
			time.AfterFunc(3*time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}
	for _, tt := range []struct {
		name    string
		at      time.Duration
		behave  func(int, *fakeProcess)
		reading time.Duration
	}{
		{"prepare", time.Second, slow("2"), 2 * time.Second},
		{"apply", 5 * time.Second, slow("2"), 0},
		{"revert", 4 * time.Second, failing, 0},
	} {
		for _, terms := range []int{1, 4} {
			t.Run(fmt.Sprint(tt.name, terms), func(t *testing.T) {
				w := &world{reading: tt.reading, behave: func(n int, p *fakeProcess) {
					p.drain = 5 * time.Second
					tt.behave(n, p)
				}}
				perform(t, w, described(w, desire(listening(api), leveled(poolNamed("a", "api"), "1"), poolNamed("b"))), func(s *stage) {
					w.put(desire(listening(api, admin), leveled(poolNamed("a", "api"), "2"), sized(poolNamed("b"), 4), poolNamed("c", "admin")), nil)
					first, second := s.ask(Request{Verb: Reload}), s.ask(Request{Verb: Reload})
					s.after(tt.at)
					if state := s.sup.Snapshot().Config.Reload.State; state[:5] != (tt.name + "ing")[:5] {
						t.Errorf("reload is %s", state)
					}
					for range terms {
						s.signals <- syscall.SIGTERM
						synctest.Wait()
					}
					s.after(time.Minute)
					select {
					case code := <-s.code:
						if want := terms / 4; code != want {
							t.Errorf("exit code %d, want %d", code, want)
						}
						s.code <- code
					default:
						t.Error("it does not end")
					}
					if v := first.answer(); tt.name != "revert" && !errors.Is(v.Err, ErrStopped) || v.Err == nil {
						t.Errorf("first: %+v", v)
					}
					if v := second.answer(); !errors.Is(v.Err, ErrStopped) {
						t.Errorf("second: %+v", v)
					}
					if left := w.living(); len(left) > 0 {
						t.Errorf("%d workers live on", len(left))
					}
					s.checkLastWords()
				})
			})
		}
	}
}

// checkLastWords checks that systemd heard of the end of each reload, and of none after the stop.
func (s *stage) checkLastWords() {
	s.t.Helper()
	told := s.world.told()
	begun, ended := s.reloadings()
	if begun != ended {
		s.t.Errorf("systemd heard of %d reloads and the end of %d: %q", begun, ended, told)
	}
	stop := slices.IndexFunc(told, func(state string) bool { return strings.HasPrefix(state, "STOPPING=1") })
	if stop < 0 || slices.Contains(told[stop:], "READY=1") {
		s.t.Errorf("systemd heard %q", told)
	}
}

// A request that comes in one batch with the end, or is being prepared then, is answered.
func TestRequestsAtTheEndAreAnswered(t *testing.T) {
	w := &world{handling: worker.Catches, behave: func(_ int, p *fakeProcess) {
		if p.isChore() {
			p.lasts = time.Hour
		}
	}}
	prepared := func(c *Config) { c.Desired.Pools[0].PreStart = []string{} }
	perform(t, w, prepared, func(s *stage) {
		s.sup.mail.mu.Lock() // so that all of it is one batch
		var all []*asked
		for range 4 {
			s.sup.mail.queue = append(s.sup.mail.queue, signalled{sig: syscall.SIGTERM})
		}
		for _, verb := range []Verb{Roll, Reload, Scale, Dump, Plan} {
			a := &asked{stage: s, verdict: make(chan Verdict, 1)}
			s.sup.mail.queue = append(s.sup.mail.queue, requested{req: Request{Verb: verb, Workers: 1}, reply: replyFunc(func(v Verdict) { a.verdict <- v })})
			all = append(all, a)
		}
		s.sup.mail.mu.Unlock()
		s.sup.mail.wake <- struct{}{}
		synctest.Wait()
		for _, a := range all {
			if v := a.answer(); v.Err == nil {
				t.Errorf("%+v", v)
			}
		}
	})
	rolling := func(c *Config) { c.Desired.Pools[0].PreStart = []string{"migrate"} }
	w = &world{}
	perform(t, w, rolling, func(s *stage) {
		w.behave = func(_ int, p *fakeProcess) { p.lasts = time.Hour }
		roll := s.ask(Request{Verb: Roll})
		for range 4 {
			s.signals <- syscall.SIGTERM
		}
		synctest.Wait()
		if v := roll.answer(); v.Err == nil {
			t.Errorf("roll: %+v", v)
		}
	})
}

// What others have asked for goes on: a reload waits for a rollout, and one that is asked for during a reload follows it.
func TestRollsBesideAReload(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint("fails ", fails), func(t *testing.T) {
			w := &world{}
			perform(t, w, described(w, one("1")), func(s *stage) {
				w.behave = func(_ int, p *fakeProcess) {
					p.ready = 10 * time.Second
					if fails && p.env("LEVEL") == "2" {
						p.ready = -1
						time.AfterFunc(20*time.Second, func() { p.end(worker.Exit{Code: 3}) })
					}
				}
				roll := s.ask(Request{Verb: Roll})
				w.put(one("2"), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(9 * time.Second)
				if !roll.waits() || !reload.waits() {
					t.Error("answered too early")
				}
				s.after(5 * time.Second)
				if v := roll.answer(); v.Err != nil || v.Text != "pool a is at generation 2" || !reload.waits() {
					t.Errorf("roll: %+v", v)
				}
				behind := s.ask(Request{Verb: Roll}) // while the reload rolls
				s.after(2 * time.Minute)
				if v := behind.answer(); v.Err != nil || v.Text != "pool a is at generation 4" {
					t.Errorf("roll behind it: %+v", v)
				}
				if fails {
					checkFailed(t, reload.answer(), "exit 3", true)
				} else if v := reload.answer(); v.Err != nil {
					t.Errorf("reload: %+v", v)
				}
				if want := map[bool]string{false: "2", true: "1"}[fails]; s.level() != want {
					t.Errorf("level %s, want %s", s.level(), want)
				}
				s.checkRest()
			})
		})
	}
}

// What somebody scales during a reload stays, also when the reload goes back.
func TestScaleDuringAReload(t *testing.T) {
	graced := but(poolNamed("a"), func(p *plan.Pool) { p.Spec.Grace = time.Minute })
	for _, tt := range []struct {
		name string
		a    plan.Pool
	}{{"adjusted", graced}, {"scaled", sized(poolNamed("a"), 3)}, {"rolled", newer(poolNamed("a"))}, {"kept", poolNamed("a")}} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{behave: dying("b", "1", "0")}
			perform(t, w, described(w, desire(nil, poolNamed("a"))), func(s *stage) {
				w.behave = late("b", "1", "0")
				w.put(desire(nil, tt.a, poolNamed("b")), nil)
				reload := s.ask(Request{Verb: Reload})
				s.after(30 * time.Second)
				if v := s.ask(Request{Verb: Scale, Pool: "a", Workers: 5}).answer(); v.Err != nil {
					t.Errorf("scale: %+v", v)
				}
				s.after(5 * time.Minute)
				checkFailed(t, reload.answer(), "the new configuration does not work: worker b.0", true)
				if p := s.sup.Snapshot().Pools[0]; p.Desired != 5 || p.Ready != 5 {
					t.Errorf("pool: %+v", p)
				}
				s.checkRest()
			})
		})
	}
}

// A reload starts again what has ended, and takes its place only when it serves.
func TestReloadOfAPoolThatGaveUp(t *testing.T) {
	weak := but(leveled(sized(poolNamed("a"), 1), "1"), func(p *plan.Pool) { p.Spec.Backoff.GiveUpAfter = 2 })
	w := &world{behave: func(_ int, p *fakeProcess) {
		if p.env("LEVEL") == "1" {
			p.err = &worker.ExecError{Path: "server", Err: syscall.ENOENT}
		}
	}}
	perform(t, w, described(w, desire(nil, weak, poolNamed("b"))), func(s *stage) {
		if p := s.sup.Snapshot().Pools[0]; p.Phase != machine.Exited.String() {
			t.Fatalf("pool: %+v", p)
		}
		for range 2 { // the second must find what the first has left
			reload := s.ask(Request{Verb: Reload})
			s.after(time.Minute)
			checkFailed(t, reload.answer(), "worker a.0 died before it was ready", true)
			s.checkRest()
		}
		w.put(desire(nil, leveled(weak, "2"), poolNamed("b")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil || !strings.Contains(v.Text, "a: added (it had ended), 1 worker") {
			t.Errorf("verdict: %+v", v)
		}
		s.checkRest()
	})
}

// What had ended before, and was to be removed, stays ended when the reload goes back.
func TestRemovalOfAPoolThatHadEnded(t *testing.T) {
	w := &world{}
	perform(t, w, described(w, desire(nil, poolNamed("a"), poolNamed("b"))), func(s *stage) {
		s.ask(Request{Verb: Stop, Pool: "b"})
		s.after(time.Second)
		w.behave = late("c", "1", "0")
		w.put(desire(nil, newer(poolNamed("a")), after(poolNamed("c"), "a")), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(5 * time.Minute)
		checkFailed(t, reload.answer(), "worker c.0", true)
		if p := s.sup.Snapshot().Pools[1]; p.Name != "b" || p.Phase != "exited" {
			t.Errorf("pool: %+v", p)
		}
		s.checkRest()
	})
}
