package supervisor

import (
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// A pool of a leader that is elsewhere has nobody: its rollouts have ended when they have begun, and its next leader is of
// the new generation.
func TestRolloutOfNobody(t *testing.T) {
	w := &world{}
	leading := func(c *Config) { c.Desired.Pools[0].Spec.Leader = true }
	sharedBy(t, w, leading, func(s *stage, way *fleetWay) {
		other, err := way.server.Client().Engine(remote.Config{Who: "other"})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		leader := s.sup.Snapshot().Pools[0].Workers[0]
		way.client.Cut()
		claim, err := lease.Acquire(s.t.Context(), other, "g.web.leader", lease.Only(0))
		if err != nil {
			t.Fatal(err)
		}
		way.client.Join()
		s.ask(Request{Verb: Scale, Workers: 1})
		s.after(time.Minute)
		if n := len(w.living()); n != 0 {
			t.Fatalf("%d workers live, and the leader is elsewhere: %v", n, w.lines())
		}
		for _, req := range []Request{{Verb: Roll}, {Verb: Reload}, {Verb: Roll}} {
			if v := s.ask(req).answer(); v.Err != nil {
				t.Errorf("%s: %v", req.Verb, v.Err)
			}
		}
		if err := claim.Release(s.t.Context()); err != nil {
			t.Fatal(err)
		}
		s.after(time.Minute)
		now := s.sup.Snapshot().Pools[0].Workers
		if len(now) != 1 || now[0].Generation != 4 || !now[0].Leader || now[0].PID == leader.PID {
			t.Errorf("%+v", now)
		}
	})
}
