package supervisor

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// An error of any length leaves a status that systemd reads, and the word that goes with it.
func TestLongStatusIsCut(t *testing.T) {
	w := &world{behave: func(_ int, p *fakeProcess) { p.ready = 10 * time.Second }}
	perform(t, w, described(w, desire(nil, poolNamed("a"))), func(s *stage) {
		w.put(plan.Desired{}, errors.New(strings.Repeat("größer\n", 2000)))
		s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		const most = longestStatus + 64 // with the words before it, and the mark of the cut
		ready, cut := false, false
		for _, state := range w.told() {
			if len(state) > most || !utf8.ValidString(state) {
				t.Errorf("systemd heard %d bytes: %.80q", len(state), state)
			}
			_, status, _ := strings.Cut(state, "STATUS=")
			if strings.Contains(status, "\n") {
				t.Errorf("a status has another line: %q", status)
			}
			ready = ready || strings.HasPrefix(state, "READY=1\nSTATUS=2/2 ready; reload failed: ")
			cut = cut || strings.HasSuffix(state, " ...")
		}
		if !ready || !cut {
			t.Errorf("ready %t, cut %t: %.200q", ready, cut, w.told())
		}
		s.after(time.Second)
		if r := s.sup.Snapshot().Config.Reload; len(r.Error) < 10000 {
			t.Errorf("of the error %d bytes are in the status", len(r.Error))
		}
	})
}

// Nobody knows how long a migration takes: systemd is asked for time while one runs, and no longer.
func TestSystemdIsAskedForTimeWhilePreStartRuns(t *testing.T) {
	w := &world{behave: choresLast(5 * time.Minute)}
	asked := func() int {
		n := 0
		for _, state := range w.told() {
			if strings.HasPrefix(state, "EXTEND_TIMEOUT_USEC=") {
				n++
			}
		}
		return n
	}
	perform(t, w, described(w, desire(nil, migrating(poolNamed("a"), "migrate"))), func(s *stage) {
		for range 5 {
			before := asked()
			s.after(time.Minute - time.Second)
			// 10 s lie between two of them, and each asks for 20 s.
			if n := asked() - before; n < 5 || n > 8 {
				t.Errorf("asked %d times in a minute", n)
			}
		}
		s.after(10 * time.Second)
		if s.summary() != "1/1 ready" {
			t.Errorf("%s", s.summary())
		}
		before := asked()
		s.after(time.Hour)
		if n := asked() - before; n != 0 {
			t.Errorf("asked %d times when everything was ready", n)
		}
		reload := s.ask(Request{Verb: Reload}) // nothing changed, and they have no handler: they are rolled
		s.after(time.Minute)
		if n := asked() - before; n < 5 || !reload.waits() {
			t.Errorf("asked %d times in a minute of a reload", n)
		}
		s.after(time.Hour)
		s.checkRest()
	})
}

// What is not required any more is not missing any more.
func TestRequirementThatAReloadRemovesVanishesFromTheStatus(t *testing.T) {
	w := &world{}
	a := sized(poolNamed("a"), 1)
	perform(t, w, described(w, desire(nil, but(a, func(p *plan.Pool) { p.Requires = []string{"env:KEY"} }))), func(s *stage) {
		w.lacks("env:KEY", true)
		w.process(0).end(worker.Exit{Code: 1})
		s.after(time.Minute)
		if s.summary() != "1/1 ready, env:KEY is not there" {
			t.Errorf("%s", s.summary())
		}
		w.put(desire(nil, a), nil)
		reload := s.ask(Request{Verb: Reload})
		s.after(time.Minute)
		if v := reload.answer(); v.Err != nil || s.summary() != "1/1 ready" {
			t.Errorf("verdict: %+v, %s", v, s.summary())
		}
		w.living()[0].end(worker.Exit{Code: 1})
		s.after(time.Minute)
		if s.summary() != "1/1 ready" {
			t.Errorf("after a death: %s", s.summary())
		}
		s.checkRest()
	})
}
