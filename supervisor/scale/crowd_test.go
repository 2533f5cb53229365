package scale_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/scale"
)

// crowd is a pool of workers that take every connection at once, and work on one after another, as servers with an event
// loop do: what waits cannot be seen from outside, but a probe has to wait with it. Who answers too late three times in
// a row is not ready, until he answers in time. Time goes in tenths of a second.
type crowd struct {
	pool    *pool
	chance  *rand.Rand
	service time.Duration
	workers []busyWorker
	late    int // samples in which somebody was not ready
}

type busyWorker struct {
	work     time.Duration // that is still to be done
	used     time.Duration // of CPU since the last sample
	failures int           // of probes, in a row
	age      time.Duration
}

func (w *busyWorker) ready() bool { return w.failures < 3 }

const (
	probeEvery   = 2 * time.Second
	probePatient = time.Second
	instant      = 100 * time.Millisecond
)

// open lets requests come, so many per second on average.
func (c *crowd) open(seconds int, rate float64) {
	for range seconds {
		for range int(time.Second / instant) {
			c.pass(rate * instant.Seconds())
		}
		c.look()
	}
}

// pass gives what comes in an instant to workers that are ready, or to all if nobody is, and lets them work.
func (c *crowd) pass(requests float64) {
	for len(c.workers) < c.pool.workers {
		c.workers = append(c.workers, busyWorker{})
	}
	c.workers = c.workers[:c.pool.workers] // who is told to leave takes his work with him
	var open []*busyWorker
	for i := range c.workers {
		if c.workers[i].ready() {
			open = append(open, &c.workers[i])
		}
	}
	for n := 0; float64(n) < requests-c.chance.Float64(); n++ {
		w := &c.workers[c.chance.IntN(len(c.workers))]
		if len(open) > 0 {
			w = open[c.chance.IntN(len(open))]
		}
		w.work += c.service
	}
	for i := range c.workers {
		w := &c.workers[i]
		if w.age += instant; w.age%probeEvery == 0 {
			w.failures++
			if w.work <= probePatient {
				w.failures = 0
			}
		}
		done := min(w.work, instant)
		w.work -= done
		w.used += done
	}
}

// look takes the sample: the CPU of those that get connections.
func (c *crowd) look() {
	ready := 0
	for i := range c.workers {
		if c.workers[i].ready() {
			ready++
		}
	}
	if ready < len(c.workers) {
		c.late++
	}
	m := scale.Sample{Ready: ready - len(c.workers)}
	for i := range c.workers {
		if w := &c.workers[i]; w.ready() || ready == 0 {
			m.CPU += int(w.used.Milliseconds())
		}
		c.workers[i].used = 0
	}
	c.pool.see(m)
}

// Too much work makes workers late, and so unready, which leaves still more to the others. Only more workers help.
func TestOverloadThatMakesWorkersUnready(t *testing.T) {
	policy := scale.Policy{Min: 2, Max: 32, CPU: 800, UpAfter: 5 * time.Second, DownAfter: 2 * time.Minute}
	for seed := range uint64(20) {
		c := &crowd{pool: poolOf(policy, 2), chance: rand.New(rand.NewPCG(seed, 2)), service: 50 * time.Millisecond}
		c.open(60, 20) // one worker's work
		if c.pool.workers != 2 || c.late > 0 {
			t.Fatalf("seed %d: %d workers, %d s not ready", seed, c.pool.workers, c.late)
		}
		c.open(120, 110) // five and a half
		if c.pool.workers < 6 || c.late == 0 {
			t.Errorf("seed %d: two minutes later %d workers, %d s not ready", seed, c.pool.workers, c.late)
		}
		c.open(120, 110)
		c.late = 0
		c.open(600, 110)
		if c.late > 0 {
			t.Errorf("seed %d: with %d workers still %d s not ready; %v", seed, c.pool.workers, c.late, c.pool.changes)
		}
		c.open(3600, 1)
		if c.pool.workers != 2 {
			t.Errorf("seed %d: %d workers when nobody comes any more", seed, c.pool.workers)
		}
	}
}
