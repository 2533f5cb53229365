package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// Whoever is answered finds what the answer says, also while snapshots are rationed.
func TestAnswersComeAfterTheSnapshot(t *testing.T) {
	perform(t, &world{}, func(c *Config) { c.Desired.Pools[0].Spec.Settle = 0 }, func(s *stage) {
		s.sup.press.after = time.Now().Add(time.Hour) // the loop is asleep: as after an hour's worth of snapshots
		if v := s.sup.Do(context.Background(), Request{Verb: Scale, Workers: 3}); v.Err != nil {
			t.Fatal(v.Err)
		}
		if got := s.sup.Snapshot().Pools[0].Desired; got != 3 {
			t.Errorf("after the answer %d workers are desired, want 3", got)
		}
		if v := s.sup.Do(context.Background(), Request{Verb: Roll}); v.Err != nil {
			t.Fatal(v.Err)
		}
		if got := s.sup.Snapshot().Pools[0].Generation; got != 2 {
			t.Errorf("after the answer the generation is %d, want 2", got)
		}
		synctest.Wait()
	})
}

// What was rationed is made up for, though nothing else happens.
func TestRationedSnapshotIsMadeUpFor(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		s.sup.press.after = time.Now().Add(time.Second)
		s.world.process(0).stubborn = true
		s.world.process(0).end(worker.Exit{Code: 1})
		synctest.Wait()
		if got := s.sup.Snapshot().Pools[0].Restarts; got != 0 {
			t.Errorf("published before it was due: %d restarts", got)
		}
		s.after(time.Second)
		if got := s.sup.Snapshot().Pools[0].Restarts; got != 1 {
			t.Errorf("%d restarts, want 1", got)
		}
	})
}

// What comes again and again while nothing happens makes no snapshot, and wakes nobody who waits for one.
func TestNothingIsPublishedWhileNothingHappens(t *testing.T) {
	w := &world{lanes: true, watchdog: time.Minute}
	perform(t, w, watched(2, func(p *plan.Pool) {
		p.Health = plan.Health{Readiness: often(), Liveness: often(), Hang: time.Second, Watchdog: time.Minute}
		p.Recycle.MaxMemory, p.Recycle.MaxRequests = 1<<30, 1<<30
		p.Autoscale = plan.Autoscale{Min: 2, Max: 4, Queue: 1, UpAfter: time.Minute, DownAfter: time.Minute}
	}), func(s *stage) {
		first, second := w.process(0), w.process(1)
		first.set(func(m *mood) { m.accepts, m.held = true, []uint64{1} }) // who waits for it is no sign of a hang
		alive := func(status string) {
			for n := range uint64(2) {
				first.say(handshake.Message{Watchdog: true, Status: status, Requests: &n})
				second.say(handshake.Message{Watchdog: true})
			}
			s.after(30 * time.Second)
		}
		alive("fine")
		var before *Snapshot
		for _, tt := range []struct {
			name   string
			status string
			change func()
			want   bool
		}{
			{"nothing", "fine", func() {}, false},
			{"another status", "finer", func() {}, true},
			{"the same", "finer", func() {}, false},
			{"a repair", "finer", func() { first.set(func(m *mood) { m.spoiled = listener.Nonblock }) }, true},
			{"no other one", "finer", func() {}, false},
			{"a load", "finer", func() { w.burden(1, 0) }, true},
			{"that stays", "finer", func() {}, false},
			{"an illness", "finer", func() { first.set(func(m *mood) { m.status = 503 }) }, true},
		} {
			before = s.sup.snapshot.Load()
			tt.change()
			alive(tt.status)
			if got := s.sup.snapshot.Load() != before; got != tt.want {
				t.Errorf("%s: published is %t, want %t", tt.name, got, tt.want)
			}
		}
	})
}
