package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/worker"
)

// Whoever is answered finds what the answer says, also while snapshots are rationed.
func TestAnswersComeAfterTheSnapshot(t *testing.T) {
	perform(t, &world{}, func(c *Config) { c.Desired.Pools[0].Spec.Settle = 0 }, func(s *stage) {
		s.sup.publishAfter = time.Now().Add(time.Hour) // the loop is asleep: as after an hour's worth of snapshots
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
		s.sup.publishAfter = time.Now().Add(time.Second)
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
