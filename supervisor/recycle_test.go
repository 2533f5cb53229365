package supervisor

import (
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// failure is the end of a worker that crashed.
var failure = worker.Exit{Code: 1}

// checkRecycled checks that one worker has been recycled, start-first, and returns the log line that says why.
func (s *stage) checkRecycled() map[string]any {
	s.t.Helper()
	s.want("start 100", "steer 0a", "start 101", "steer 0b", "TERM 100", "abandon 0a", "end 100")
	s.checkDeaths(CauseRecycled)
	due := s.logged("worker is due to be recycled")
	if len(due) != 1 {
		s.t.Fatalf("due: %v", due)
	}
	return due[0]
}

func TestWorkersAreRecycledByAge(t *testing.T) {
	perform(t, &world{}, single(func(p *plan.Pool) { p.Recycle.MaxLifetime = time.Hour }), func(s *stage) {
		s.after(time.Hour - time.Millisecond)
		s.want("start 100", "steer 0a")
		s.after(10 * time.Second)
		if due := s.checkRecycled(); due["why"] != "max_lifetime" || due["limit"] != "1h0m0s" {
			t.Errorf("due: %v", due)
		}
	})
}

func TestWorkersAreRecycledByRequests(t *testing.T) {
	w := &world{}
	perform(t, w, single(func(p *plan.Pool) { p.Recycle.MaxRequests = 1000 }), func(s *stage) {
		for _, n := range []uint64{0, 10, 999} {
			w.process(0).say(handshake.Message{Requests: &n})
		}
		s.after(time.Minute)
		s.want("start 100", "steer 0a")
		s.wantRequests(999)
		for _, n := range []uint64{1000, 1001} {
			w.process(0).say(handshake.Message{Requests: &n})
		}
		s.after(time.Minute)
		if due := s.checkRecycled(); due["why"] != "max_requests" || due["requests"] != 1000.0 || due["limit"] != 1000.0 {
			t.Errorf("due: %v", due)
		}
		s.wantRequests(1001)
		n := uint64(7)
		w.process(1).say(handshake.Message{Requests: &n})
		w.process(1).say(handshake.Message{Requests: &n})
		s.after(time.Second)
		s.wantRequests(1008)
	})
}

// wantRequests compares what the only slot has served, by all the workers it had.
func (s *stage) wantRequests(want uint64) {
	s.t.Helper()
	for _, w := range s.sup.Snapshot().Pools[0].Workers {
		if w.Requests == nil || *w.Requests != want {
			s.t.Errorf("worker %d: requests %v, want %d", w.PID, w.Requests, want)
		}
	}
}

func TestWorkersAreRecycledByMemory(t *testing.T) {
	w := &world{}
	perform(t, w, single(func(p *plan.Pool) { p.Recycle.MaxMemory = 1 << 20 }), func(s *stage) {
		s.after(time.Minute)
		w.process(0).set(func(m *mood) { m.memory = 2 << 20 })
		s.after(15 * time.Second)
		if due := s.checkRecycled(); due["why"] != "max_memory" || due["memory_bytes"] != float64(2<<20) {
			t.Errorf("due: %v", due)
		}
	})
}

// Workers that began together do not end together, and none ends early.
func TestLimitsOfRecyclingAreStretched(t *testing.T) {
	perform(t, &world{}, watched(20, func(p *plan.Pool) { p.Recycle.Jitter = 10 }), func(s *stage) {
		p := s.sup.pools[0]
		seen := map[uint64]bool{}
		for _, rec := range p.workers {
			limit := p.stretch(rec, 1_000_000)
			if limit < 1_000_000 || limit > 1_100_000 || limit != p.stretch(rec, 1_000_000) {
				t.Errorf("limit %d", limit)
			}
			seen[limit] = true
		}
		if len(seen) < 20 {
			t.Errorf("20 workers have %d limits", len(seen))
		}
	})
}
