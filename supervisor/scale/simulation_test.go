package scale_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/scale"
)

// shop is a pool in which each worker serves one request at a time, and the requests that wait are its queue. Time goes
// in milliseconds.
type shop struct {
	pool    *pool
	chance  *rand.Rand
	service time.Duration // of one request
	cpu     float64       // part of the service that is work, not waiting

	serving []time.Duration // until when each worker is busy; more than the workers while they drain
	queue   int
	used    time.Duration // of CPU since the last sample
	worst   int           // the longest queue
}

// open lets requests come for a while, so many per second on average, at random moments.
func (s *shop) open(seconds int, rate float64) {
	s.worst = 0
	for range seconds {
		m := scale.Sample{}
		for range 1000 {
			s.pool.now += time.Millisecond
			if s.chance.Float64() < rate/1000 {
				s.queue++
			}
			s.serve()
		}
		m.Queued, m.CPU = s.queue, int(s.used.Milliseconds())
		s.worst = max(s.worst, s.queue)
		s.used = 0
		s.pool.now -= time.Second // which see adds
		s.pool.see(m)
	}
}

// serve gives waiting requests to workers that are free.
func (s *shop) serve() {
	for len(s.serving) < s.pool.workers {
		s.serving = append(s.serving, 0)
	}
	for i := range s.pool.workers {
		if s.queue > 0 && s.serving[i] <= s.pool.now {
			s.queue--
			s.serving[i] = s.pool.now + s.service
			s.used += time.Duration(float64(s.service) * s.cpu)
		}
	}
}

// A day in a shop: few, then many, then few again. The number follows, finds what is needed, and rests there.
func TestSimulation(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cpu    float64
		queue  float64
		most   int // changes per hour of a steady load that needs 6 workers at least
		enough int // workers that must not be exceeded then, after an hour
	}{
		{"workers that compute", 1, 1, 2, 12},
		{"workers that wait for others", 0.05, 1, 12, 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := scale.Policy{Min: 2, Max: 32, Queue: tt.queue, CPU: 800, UpAfter: 5 * time.Second, DownAfter: 2 * time.Minute}
			s := &shop{pool: poolOf(policy, 2), chance: rand.New(rand.NewPCG(1, 2)), service: 50 * time.Millisecond, cpu: tt.cpu}
			s.open(600, 5) // a quarter of one worker
			if s.pool.workers != 2 {
				t.Errorf("%d workers where one is enough", s.pool.workers)
			}
			s.open(120, 110) // five workers and a half
			if s.pool.workers < 6 || s.queue > s.pool.workers {
				t.Errorf("after two minutes of load: %d workers, %d wait", s.pool.workers, s.queue)
			}
			s.open(3600, 110)
			changes := len(s.pool.changes)
			s.open(3600, 110)
			steady := s.pool.changes[changes:]
			if n := s.pool.workers; n < 6 || n > tt.enough || len(steady) > tt.most || s.worst > 400 {
				t.Errorf("at a steady load: %d workers, %d changes in an hour %v, up to %d wait", n, len(steady), steady, s.worst)
			}
			s.open(2*3600, 1)
			if s.pool.workers != 2 {
				t.Errorf("%d workers when nobody comes any more", s.pool.workers)
			}
			t.Logf("steady: %v, up to %d wait; all: %v", steady, s.worst, s.pool.changes)
		})
	}
}
