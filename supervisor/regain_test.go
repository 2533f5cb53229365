package supervisor

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// A claim that was asked for again without an answer is no other worker's.
func TestWorkersWhoseIDsAreAskedForInVain(t *testing.T) {
	w := &world{}
	shared(t, w, true, func(s *stage, way *fleetWay) {
		way.client.Cut()
		s.after(time.Minute)
		for range 10 {
			way.client.Join()
			for way.engine.Session().ID == 0 {
				s.after(time.Millisecond)
			}
			way.client.Cut() // while they are asked for
			s.after(4 * time.Second)
			way.client.Join()
			s.after(time.Minute)
			way.client.Cut()
			s.after(time.Minute)
		}
		way.client.Join()
		s.after(time.Minute)
		if n := len(s.logged("another worker has this one's id")); n > 0 || len(w.procs) != 2 {
			t.Errorf("%d workers were replaced whose ids nobody had: %v", n, w.lines())
		}
		if v := s.sup.Snapshot().Pools[0].Claims; v.Held != 2 || v.Lost != 0 {
			t.Errorf("claims: %+v", v)
		}
	})
}

// slowEngine tells of a claim when it wants to.
type slowEngine struct {
	lease.Engine
	claimed atomic.Pointer[func(lease.Claim)]
	refuses atomic.Int32
}

func (e *slowEngine) ClaimAny(ctx context.Context, name string, among lease.Range, prefer ...int) (lease.Claim, error) {
	c, err := e.Engine.ClaimAny(ctx, name, among, prefer...)
	if f := e.claimed.Swap(nil); f != nil && err == nil {
		(*f)(c)
	}
	return c, err
}

// A claim that is lost before its news has come is of no use: nobody would ever hear of its end.
func TestClaimsThatAreLostAtOnce(t *testing.T) {
	slow, w := &slowEngine{}, &world{}
	sharedBy(t, w, func(c *Config) {
		c.World.Places.KeepIDs = true
		slow.Engine, c.World.Places.Engine = c.World.Places.Engine, slow
	}, func(s *stage, way *fleetWay) {
		lose := func(c lease.Claim) {
			_ = way.server.Client().Revoke(context.Background(), way.engine.Session().ID)
			<-c.Lost()
			<-time.After(time.Second)
		}
		slow.claimed.Store(&lose)
		s.ask(Request{Verb: Scale, Workers: 3})
		s.after(time.Minute)
		other, err := way.server.Client().Engine(remote.Config{Who: "other"})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		s.after(time.Second)
		for _, v := range s.sup.Snapshot().Pools[0].Workers {
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
			if c, err := lease.Acquire(ctx, other, "g.web.ids", lease.Only(*v.WorkerID)); err == nil {
				t.Errorf("somebody else has the id %d of worker %d: %v", *v.WorkerID, v.Slot, w.lines())
				_ = c.Release(ctx)
			}
			cancel()
		}
	})
}

// refuse has it not answer to a claim so many times.
func (e *slowEngine) Claim(ctx context.Context, name string, place int) (lease.Claim, error) {
	if e.refuses.Add(-1) >= 0 {
		return nil, lease.ErrUnavailable
	}
	return e.Engine.Claim(ctx, name, place)
}

// An id that was lost may come back to us as one that we ask for: then its worker has it again.
func TestLostIDsThatComeForOthers(t *testing.T) {
	for range 10 {
		slow, w := &slowEngine{}, &world{}
		sharedBy(t, w, func(c *Config) {
			c.World.Places.KeepIDs = true
			c.Desired.Pools[0].Spec.FirstID, c.Desired.Pools[0].Spec.LastID = 0, 3
			slow.Engine, c.World.Places.Engine = c.World.Places.Engine, slow
		}, func(s *stage, way *fleetWay) {
			way.client.Cut()
			s.after(time.Minute)
			slow.refuses.Store(2)
			s.ask(Request{Verb: Scale, Workers: 3})
			way.client.Join()
			s.after(time.Minute)
			if n := len(s.logged("another worker has this one's id")); n > 0 || len(w.procs) != 3 {
				t.Errorf("%d workers were replaced whose ids we had: %v", n, w.lines())
			}
			if v := s.sup.Snapshot().Pools[0].Claims; v.Held != 3 || v.Lost != 0 {
				t.Errorf("claims: %+v", v)
			}
		})
	}
}
