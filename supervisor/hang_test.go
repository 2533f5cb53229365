package supervisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
)

var errForbidden = errors.New("forbidden")

// hanging10 is a pool of two whose workers must move within ten seconds.
func hanging10() func(*Config) {
	return watched(2, func(p *plan.Pool) { p.Health.Hang = 10 * time.Second })
}

func TestWorkerThatAcceptsNothingIsReplaced(t *testing.T) {
	w := &world{behave: aborts}
	perform(t, w, hanging10(), func(s *stage) {
		s.after(time.Minute)
		w.process(1).set(func(m *mood) { m.queue, m.held = 17, []uint64{4711} })
		s.after(10 * time.Second)
		s.checkDeaths()
		s.after(2 * time.Second)
		s.checkDeaths(CauseHang)
		got := s.logged("worker died")[0]["detail"].(string)
		if !strings.HasPrefix(got, "the queue of http has not got shorter for 10.") ||
			!strings.HasSuffix(got, "s: 17 connections wait in it, of at most 511 (the process is in state S)") {
			t.Errorf("detail: %s", got)
		}
	})
}

// Neither a worker that is slow nor one that has more to do than it can is one that hangs.
func TestWorkersThatOnlyLookAsIfTheyHung(t *testing.T) {
	for _, tt := range []struct {
		name string
		mood func(*mood)
		each func(*mood) // second
	}{
		{"slow", func(m *mood) { m.queue = 100 }, func(m *mood) { m.queue = 199 - m.queue }},
		{"with a full queue", func(m *mood) { m.queue, m.held, m.accepts = 512, []uint64{1}, true }, nil},
		{"with a queue that grows", func(m *mood) { m.queue, m.held, m.accepts = 1, []uint64{1}, true }, func(m *mood) { m.queue++ }},
		{"with a full queue, and we cannot see more", func(m *mood) { m.queue, m.stuck = 512, errForbidden }, nil},
		{"with a queue that grows, and we cannot see more", func(m *mood) { m.queue, m.stuck = 1, errForbidden }, func(m *mood) { m.queue++ }},
		{"with nothing to do", func(*mood) {}, nil},
		{"stopped for a moment again and again", func(*mood) {}, func(m *mood) { m.stopped = !m.stopped }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{behave: aborts}
			perform(t, w, hanging10(), func(s *stage) {
				s.after(time.Minute)
				w.process(0).set(tt.mood)
				for range 60 {
					s.after(time.Second)
					if tt.each != nil {
						w.process(0).set(tt.each)
					}
				}
				s.checkDeaths()
			})
		})
	}
}

func TestQueueThatStandsStillIsProofWhereNothingElseCanBeSeen(t *testing.T) {
	w := &world{behave: aborts}
	perform(t, w, hanging10(), func(s *stage) {
		w.process(1).set(func(m *mood) { m.queue, m.stuck = 5, errForbidden })
		s.after(13 * time.Second)
		s.checkDeaths(CauseHang)
	})
}

// The queue of a shared socket is everybody's, and blames nobody.
func TestSharedQueueBlamesNobody(t *testing.T) {
	w := &world{behave: aborts}
	perform(t, w, func(c *Config) {
		hanging10()(c)
		c.Desired.Listeners[0].Mode = listener.Shared
	}, func(s *stage) {
		w.process(1).set(func(m *mood) { m.queue = 5 })
		s.after(time.Minute)
		s.checkDeaths()
	})
}

func TestStoppedWorkerIsReplaced(t *testing.T) {
	w := &world{}
	perform(t, w, hanging10(), func(s *stage) {
		begin := len(w.lines())
		w.process(1).set(func(m *mood) { m.stopped = true })
		s.after(10 * time.Second)
		s.wantFrom(begin, "steer 0a", "group KILL 101", "end 101", "start 102", "steer 0a 1a")
		s.checkDeaths(CauseHang)
		if got := s.logged("worker died")[0]["detail"]; got != "the process has been stopped (state T) for 1s" {
			t.Errorf("detail: %s", got)
		}
	})
}

// What happened while this process did not run itself is not held against a worker.
func TestNobodyIsBlamedForTimeThatNobodySaw(t *testing.T) {
	h := hangWatch{}
	begin := time.Unix(0, 0)
	look := func(after time.Duration) string {
		s := &sight{
			target: target{listeners: []seat{{name: "http"}}}, at: begin.Add(after),
			queues: []queueSight{{Queue: listener.Queue{Length: 3, Backlog: 511}, known: true}},
		}
		return h.see(s, 10*time.Second, time.Second)
	}
	for _, after := range []time.Duration{0, time.Second, time.Hour, time.Hour + time.Second} {
		if got := look(after); got != "" {
			t.Errorf("after %s: %s", after, got)
		}
	}
	found := ""
	for i := range 10 {
		found = look(time.Hour + time.Duration(i+2)*time.Second)
	}
	if !strings.HasPrefix(found, "the queue") {
		t.Errorf("at last: %q", found)
	}
}

// Nothing ticks where nobody asked for it, nor where there is nobody to look at.
func TestNoRoundsWithoutNeed(t *testing.T) {
	count := func(s *stage) (n int) {
		for _, r := range s.sup.pools[0].rounds {
			if r != nil {
				n++
			}
		}
		return n
	}
	perform(t, &world{}, nil, func(s *stage) {
		s.after(time.Minute)
		if n := count(s); n != 0 {
			t.Errorf("%d kinds of rounds that nobody asked for", n)
		}
	})
	w := &world{}
	perform(t, w, watched(1, func(p *plan.Pool) { p.Health.Hang, p.Recycle.MaxMemory = 10*time.Second, 1<<30 }), func(s *stage) {
		s.after(time.Minute)
		if n := count(s); n != 2 {
			t.Errorf("%d kinds of rounds, want 2", n)
		}
		w.behave = func(_ int, p *fakeProcess) { p.ready = -1 }
		w.process(0).end(failure)
		s.after(20 * time.Second)
		if n := count(s); n != 0 {
			t.Errorf("%d kinds of rounds while nobody is ready", n)
		}
	})
}
