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
}

// shared runs a story of a supervisor that shares its worker ids with others, by an engine that has deadlines.
func shared(t *testing.T, w *world, keep bool, story func(*stage, *fleetWay)) {
	t.Helper()
	var way *fleetWay
	var sup atomic.Pointer[Supervisor]
	perform(t, w, func(cfg *Config) {
		server := memory.NewServer(memory.Config{Latency: 2 * time.Millisecond})
		way = &fleetWay{server: server, client: server.Client()}
		var err error
		way.engine, err = way.client.Engine(remote.Config{Who: "us", Clock: server.Clock(), Notify: func(n lease.Notice) {
			if s := sup.Load(); s != nil {
				s.Heard(n)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		cfg.World.Places = &Places{Engine: way.engine, Group: "g", KeepIDs: keep, Clock: server.Clock()}
	}, func(s *stage) {
		sup.Store(s.sup)
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
		if n := w.living(); len(n) != 2 || len(w.procs) != 2 {
			t.Errorf("%d workers live, of %d that were started: %v", len(n), len(w.procs), w.lines())
		}
		way.client.Join()
		s.after(time.Minute)
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
