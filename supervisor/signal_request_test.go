package supervisor

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/worker"
)

func TestSignalsThatSomebodyNames(t *testing.T) {
	for name, tt := range map[string]struct {
		handling worker.Handling
		force    bool
		err      error
		sent     int
	}{
		"caught":              {worker.Catches, false, nil, 2},
		"ignored":             {worker.Ignores, false, nil, 2},
		"deadly":              {worker.Dies, false, ErrRelay, 0},
		"deadly, by force":    {worker.Dies, true, nil, 2},
		"caught by a runtime": {worker.CatchesAll, false, ErrRelay, 0},
		"the same by force":   {worker.CatchesAll, true, nil, 2},
		"harmful":             {worker.Harms, false, ErrRelay, 0},
		"harmful, by force":   {worker.Harms, true, ErrRelay, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{handling: tt.handling}
			perform(t, w, nil, func(s *stage) {
				v := s.ask(Request{Verb: Signal, Pool: "web", Signal: syscall.SIGUSR1, Force: tt.force}).answer()
				if !errors.Is(v.Err, tt.err) || (tt.err == nil) != (v.Err == nil) {
					t.Errorf("%+v", v)
				}
				if got := strings.Count(strings.Join(w.lines(), "\n"), "USR1"); got != tt.sent {
					t.Errorf("%d signals sent, want %d", got, tt.sent)
				}
			})
		})
	}
}

func TestSignalOfOneSlot(t *testing.T) {
	w := &world{handling: worker.Catches}
	perform(t, w, nil, func(s *stage) {
		begin := len(w.lines())
		if v := s.ask(Request{Verb: Signal, Pool: "web", Slot: new(1), Signal: syscall.SIGWINCH}).answer(); v.Text != "SIGWINCH sent to 1 of 1 workers of pool web" {
			t.Errorf("%+v", v)
		}
		s.wantFrom(begin, "WINCH 101")
		if v := s.ask(Request{Verb: Signal, Pool: "web", Slot: new(7), Signal: syscall.SIGWINCH}).answer(); !errors.Is(v.Err, ErrNoSlot) {
			t.Errorf("%+v", v)
		}
	})
}

// A process that ended while its signals were looked up gets none: its number may be another one's.
func TestSignalNeverReachesWhoIsGone(t *testing.T) {
	w := &world{}
	perform(t, w, func(c *Config) {
		c.World.Handles = func(int, syscall.Signal) (worker.Handling, error) {
			<-time.After(time.Second) // of the bubble
			return worker.Catches, nil
		}
	}, func(s *stage) {
		a := s.ask(Request{Verb: Signal, Pool: "web", Slot: new(0), Signal: syscall.SIGUSR1})
		w.process(0).end(worker.Exit{Code: 1})
		s.after(2 * time.Second)
		if v := a.answer(); !errors.Is(v.Err, errNoTarget) {
			t.Errorf("%+v", v)
		}
		if got := strings.Join(w.lines(), "\n"); strings.Contains(got, "USR1") {
			t.Errorf("signalled:\n%s", got)
		}
	})
}
