package supervisor

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/memory"
	"github.com/broodctl/brood/internal/lease/remote"
)

// fleetWay is a stage's way to where worker ids are shared.
type fleetWay struct {
	server *memory.Server
	client *memory.Client
	engine *remote.Engine
	notify func(lease.Notice)
}

// handOn has the next program go on with the session of the one before.
func (f *fleetWay) handOn(cfg *Config) error {
	saved, places := f.engine.Saved(), *cfg.World.Places
	err := f.engine.Close()
	if err != nil {
		return err
	}
	f.engine, err = f.client.Engine(remote.Config{Who: "us", Clock: f.server.Clock(), Notify: f.notify, Resume: saved})
	places.Engine, cfg.World.Places = f.engine, &places
	return err
}

// shared runs a story of a supervisor that shares its worker ids with others, by an engine that has deadlines.
func shared(t *testing.T, w *world, keep bool, story func(*stage, *fleetWay)) {
	t.Helper()
	sharedBy(t, w, func(c *Config) { c.World.Places.KeepIDs = keep }, story)
}

// sharedBy is the same for one that is different.
func sharedBy(t *testing.T, w *world, change func(*Config), story func(*stage, *fleetWay)) {
	t.Helper()
	var way *fleetWay
	var at atomic.Pointer[stage]
	perform(t, w, func(cfg *Config) {
		server := memory.NewServer(memory.Config{Latency: 2 * time.Millisecond})
		way = &fleetWay{server: server, client: server.Client()}
		var err error
		way.notify = func(n lease.Notice) {
			if s := at.Load(); s != nil {
				sup, _ := s.now()
				sup.Heard(n)
			}
		}
		way.engine, err = way.client.Engine(remote.Config{Who: "us", Clock: server.Clock(), Notify: way.notify})
		if err != nil {
			t.Fatal(err)
		}
		if w.guarded {
			cfg.World.Deadman, cfg.World.Heir.Deadman = w.openDeadman, w.adoptDeadman
		}
		cfg.World.Places = &Places{Engine: way.engine, Group: "g", Home: "us on vm", Clock: server.Clock()}
		change(cfg)
	}, func(s *stage) {
		at.Store(s)
		s.after(time.Second)
		if n := len(w.living()); n != 2 {
			t.Fatalf("%d workers, want 2: %s", n, s.summary())
		}
		story(s, way)
		s.end()
		s.code <- 0 // for the end of the stage
		if err := way.engine.Close(); err != nil {
			t.Error(err)
		}
		way.server.Stop()
	})
}

// toDeadline lets the time pass in which what is shared may be used.
func (f *fleetWay) toDeadline(s *stage) {
	s.after(f.engine.Session().Deadline - f.server.Clock().Now() - time.Millisecond)
}

// Who is cut off from the others has stopped its workers before these can have their ids, also one that does not obey, and
// begins anew when it is joined again.
func TestWorkersEndBeforeTheirClaims(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) { p.stubborn = n == 0 }}
	shared(t, w, false, func(s *stage, way *fleetWay) {
		way.client.Cut()
		way.toDeadline(s)
		if n := len(w.living()); n > 0 {
			t.Errorf("%d workers live at the deadline: %v", n, w.lines())
		}
		s.after(time.Minute)
		if n := len(w.living()); n > 0 {
			t.Errorf("%d workers were started without a claim: %v", n, w.lines())
		}
		if told := s.logged("worker told to leave"); len(told) != 2 || told[0]["why"] != "its claim lapses" {
			t.Errorf("told to leave: %v", told)
		}
		way.client.Join()
		s.after(time.Minute)
		if n := len(w.living()); n != 2 {
			t.Errorf("%d workers after the reunion, want 2: %s", n, s.summary())
		}
	})
}

// Workers that are to keep their ids serve on.
func TestWorkersThatOutliveTheirClaims(t *testing.T) {
	w := &world{}
	shared(t, w, true, func(s *stage, way *fleetWay) {
		way.client.Cut()
		s.after(time.Minute)
		if v := s.sup.Snapshot().Pools[0].Claims; v.Held != 0 || v.Lost != 2 {
			t.Errorf("claims while they are lost: %+v", v)
		}
		if n := w.living(); len(n) != 2 || len(w.procs) != 2 {
			t.Errorf("%d workers live, of %d that were started: %v", len(n), len(w.procs), w.lines())
		}
		way.client.Join()
		s.after(time.Minute)
		if again := s.logged("worker id claimed again"); len(again) != 2 || len(w.procs) != 2 {
			t.Errorf("claimed again: %v; %d workers were started: %v", again, len(w.procs), w.lines())
		}
		if v := s.sup.Snapshot().Pools[0].Claims; v.Held != 2 || v.Waiting != 0 || v.Deadline == nil || *v.Deadline < 5 {
			t.Errorf("claims: %+v", v)
		}
		way.client.Cut() // once more, with claims that were claimed again
		s.after(time.Minute)
		way.client.Join()
		s.after(time.Minute)
		if again := s.logged("worker id claimed again"); len(again) != 4 || len(w.procs) != 2 {
			t.Errorf("claimed again: %v; %d workers were started", again, len(w.procs))
		}
	})
}

// A worker whose id somebody else has got meanwhile is replaced by one with another id.
func TestWorkersWhoseIDsAreTaken(t *testing.T) {
	w := &world{}
	shared(t, w, true, func(s *stage, way *fleetWay) {
		other, err := way.server.Client().Engine(remote.Config{Who: "other"})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		taken := *s.sup.Snapshot().Pools[0].Workers[0].WorkerID
		way.client.Cut()
		claim, err := lease.Acquire(s.t.Context(), other, "g.web.ids", lease.Only(taken))
		if err != nil {
			t.Fatal(err)
		}
		way.client.Join()
		s.after(time.Minute)
		if n := len(s.logged("another worker has this one's id")); n != 1 {
			t.Errorf("said %d times that an id is taken: %v", n, w.lines())
		}
		for _, v := range s.sup.Snapshot().Pools[0].Workers {
			if *v.WorkerID == taken {
				t.Errorf("worker %d has the id that is taken", v.Slot)
			}
		}
		if n := len(w.living()); n != 2 || len(w.procs) != 3 {
			t.Errorf("%d workers live of %d: %v", n, len(w.procs), w.lines())
		}
		if err := claim.Release(s.t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A renewal that comes late takes back nothing that was done, and ends what was still to be done.
func TestClaimsThatAreRenewedInTime(t *testing.T) {
	w := &world{}
	shared(t, w, false, func(s *stage, way *fleetWay) {
		way.client.Cut()
		s.after(3 * time.Second)
		way.client.Join()
		s.after(time.Minute)
		if n := len(w.living()); n != 2 || len(s.logged("worker told to leave")) > 0 {
			t.Errorf("%d workers live: %v", n, w.lines())
		}
	})
}

// A session that others end is over at once, and is not announced to be lost after that.
func TestClaimsThatOthersEnd(t *testing.T) {
	w := &world{}
	shared(t, w, false, func(s *stage, way *fleetWay) {
		session := way.engine.Session()
		if err := way.client.Revoke(s.t.Context(), session.ID); err != nil {
			t.Fatal(err)
		}
		for len(s.logged("what is shared with other supervisors is lost")) == 0 {
			s.after(time.Millisecond)
		}
		way.client.Cut() // before there is another one
		if n := len(w.living()); n != 0 {
			t.Errorf("%d workers live: %v", n, w.lines())
		}
		s.after(session.Deadline - way.server.Clock().Now() + time.Second)
		if got := s.logged("what is shared with other supervisors will be lost"); len(got) != 0 {
			t.Errorf("announced again: %v", got)
		}
		way.client.Join()
		s.after(time.Minute)
		if n := len(w.living()); n != 2 {
			t.Errorf("%d workers after the reunion, want 2: %s", n, s.summary())
		}
	})
}
