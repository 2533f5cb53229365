package scale_test

import (
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/scale"
)

// usual is a policy as people have it, with both targets.
func usual() scale.Policy {
	return scale.Policy{Min: 2, Max: 16, Queue: 1, CPU: 800, UpAfter: 5 * time.Second, DownAfter: 20 * time.Second}
}

// but is a policy in which something is different.
func but(change func(*scale.Policy)) scale.Policy {
	p := usual()
	change(&p)
	return p
}

// pool is one that does what the policy says, sampled each second.
type pool struct {
	policy  scale.Policy
	state   scale.State
	now     time.Duration
	workers int
	why     scale.Reason // of the last change
	changes []int        // the numbers that there were
}

func poolOf(p scale.Policy, workers int) *pool { return &pool{policy: p, workers: workers} }

// see takes one sample, in which everybody is ready unless it says something else, and does what follows.
func (p *pool) see(m scale.Sample) scale.Reason {
	p.now += time.Second
	m.At, m.Workers = p.now, p.workers
	m.Ready = max(0, m.Ready+p.workers)
	var want int
	var why scale.Reason
	p.state, want, why = p.policy.Step(p.state, m)
	if why != scale.Stay {
		p.why = why
		p.changes = append(p.changes, want)
	}
	p.workers = want
	return why
}

// sees takes the same sample again and again.
func (p *pool) sees(seconds int, m scale.Sample) {
	for range seconds {
		p.see(m)
	}
}

func TestOneChange(t *testing.T) {
	for _, tt := range []struct {
		name    string
		policy  scale.Policy
		workers int
		sample  scale.Sample
		seconds int // after which it changes; 0 is never
		want    int
		why     scale.Reason
	}{
		{"idle at the least", usual(), 2, scale.Sample{}, 0, 2, scale.Stay},
		{"as many wait as may", usual(), 4, scale.Sample{Queued: 4}, 0, 4, scale.Stay},
		{"one too many waits", usual(), 4, scale.Sample{Queued: 5}, 6, 5, scale.Queue},
		{"what the queue needs", usual(), 4, scale.Sample{Queued: 7}, 6, 7, scale.Queue},
		{"twice as many at most", usual(), 4, scale.Sample{Queued: 100}, 6, 8, scale.Queue},
		{"the most", usual(), 12, scale.Sample{Queued: 100}, 6, 16, scale.Queue},
		{"at the most", usual(), 16, scale.Sample{Queued: 100}, 0, 16, scale.Stay},
		{"as busy as they may be", usual(), 4, scale.Sample{CPU: 3200}, 0, 4, scale.Stay},
		{"too busy", usual(), 4, scale.Sample{CPU: 3201}, 6, 5, scale.CPU},
		{"too busy, and some wait", usual(), 4, scale.Sample{CPU: 4000, Queued: 5}, 6, 5, scale.Queue},
		{"busier than waited for", usual(), 4, scale.Sample{CPU: 4800, Queued: 5}, 6, 6, scale.CPU},
		{"the queue does not count", but(func(p *scale.Policy) { p.Queue = 0 }), 4, scale.Sample{Queued: 100, CPU: 3000}, 0, 4, scale.Stay},
		{"CPU does not count", but(func(p *scale.Policy) { p.CPU = 0 }), 4, scale.Sample{CPU: 4000, Queued: 4}, 0, 4, scale.Stay},
		{"a queue may be long", but(func(p *scale.Policy) { p.Queue = 10 }), 4, scale.Sample{Queued: 41}, 6, 5, scale.Queue},
		{"or hardly anybody may wait", but(func(p *scale.Policy) { p.Queue = 0.25 }), 4, scale.Sample{Queued: 2}, 6, 8, scale.Queue},
		{"idle", usual(), 3, scale.Sample{}, 21, 2, scale.Idle},
		{"a quarter at once", usual(), 16, scale.Sample{}, 21, 12, scale.Idle},
		{"not below what is needed", usual(), 16, scale.Sample{Queued: 10}, 21, 15, scale.Idle},
		{"not below the least", but(func(p *scale.Policy) { p.Min = 15 }), 16, scale.Sample{}, 21, 15, scale.Idle},
		{"fewer would be nearly too busy", usual(), 5, scale.Sample{CPU: 4 * 600}, 0, 5, scale.Stay},
		{"fewer would not be too busy", usual(), 5, scale.Sample{CPU: 4 * 550}, 21, 4, scale.Idle},
		{"above the most", usual(), 20, scale.Sample{Held: true}, 1, 16, scale.Bounds},
		{"below the least", usual(), 1, scale.Sample{Ready: -1}, 1, 2, scale.Bounds},
		{"a rollout is under way", usual(), 4, scale.Sample{Queued: 100, Held: true}, 0, 4, scale.Stay},
		{"a worker is not ready, and too many wait for the others", usual(), 4, scale.Sample{Queued: 4, Ready: -1}, 6, 5, scale.Queue},
		{"a worker is not ready, and as many wait for the others as may", usual(), 4, scale.Sample{Queued: 3, Ready: -1}, 0, 4, scale.Stay},
		{"one is ready, and too busy", usual(), 4, scale.Sample{CPU: 1000, Ready: -3}, 6, 5, scale.CPU},
		{"nobody is ready, and all are too busy", usual(), 4, scale.Sample{CPU: 4000, Ready: -4}, 6, 5, scale.CPU},
		{"nobody is ready, and nobody too busy", usual(), 4, scale.Sample{CPU: 3000, Ready: -4}, 0, 4, scale.Stay},
		{"a worker is not ready, twice as many at most", usual(), 4, scale.Sample{Queued: 100, Ready: -1}, 6, 8, scale.Queue},
		{"idle with a worker that is not ready", usual(), 4, scale.Sample{Ready: -1}, 0, 4, scale.Stay},
		{"at once", but(func(p *scale.Policy) { p.UpAfter = 0 }), 4, scale.Sample{Queued: 5}, 1, 5, scale.Queue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := poolOf(tt.policy, tt.workers)
			seconds := 0
			for n := range 60 {
				if why := p.see(tt.sample); why != scale.Stay {
					seconds = n + 1
					break
				}
			}
			if p.workers != tt.want || p.why != tt.why || seconds != tt.seconds {
				t.Errorf("%d workers (%s) after %d s, want %d (%s) after %d s", p.workers, p.why, seconds, tt.want, tt.why, tt.seconds)
			}
		})
	}
}

// What interrupts a wait begins it anew, but for a moment at which there were just enough.
func TestWaits(t *testing.T) {
	busy, enough, idle := scale.Sample{Queued: 5}, scale.Sample{Queued: 3}, scale.Sample{}
	t.Run("a pause between two loads", func(t *testing.T) {
		p := poolOf(usual(), 4)
		for range 10 {
			p.sees(4, busy)
			p.see(enough)
		}
		if p.workers != 4 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("a load in an idle time", func(t *testing.T) {
		p := poolOf(usual(), 4)
		for range 10 {
			p.sees(19, idle)
			p.see(busy)
		}
		if p.workers != 4 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("somebody waits for a moment", func(t *testing.T) {
		p := poolOf(usual(), 4)
		p.sees(15, idle)
		p.see(enough)
		p.sees(9, idle)
		if p.workers != 4 {
			t.Errorf("too early: %d workers (%s)", p.workers, p.why)
		}
		p.sees(1, idle)
		if p.workers != 3 || p.why != scale.Idle {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("a rollout", func(t *testing.T) {
		p := poolOf(usual(), 4)
		p.sees(5, busy)
		p.see(scale.Sample{Queued: 5, Held: true})
		p.sees(4, busy)
		if p.workers != 4 {
			t.Errorf("too early: %d workers (%s)", p.workers, p.why)
		}
		if p.see(busy); p.workers != 5 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("a death in a busy time", func(t *testing.T) {
		p := poolOf(usual(), 4)
		p.sees(5, busy)
		if p.see(scale.Sample{Queued: 5, Ready: -1}); p.workers != 6 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("a death in an idle time", func(t *testing.T) {
		p := poolOf(usual(), 4)
		p.sees(20, idle)
		p.see(scale.Sample{Ready: -1})
		p.sees(19, idle)
		if p.workers != 4 {
			t.Errorf("too early: %d workers (%s)", p.workers, p.why)
		}
		if p.see(idle); p.workers != 3 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("somebody's wish", func(t *testing.T) {
		p := poolOf(usual(), 4)
		p.sees(5, busy)
		p.workers = 3
		p.sees(5, busy)
		if p.workers != 3 {
			t.Errorf("too early: %d workers (%s)", p.workers, p.why)
		}
		if p.see(busy); p.workers != 5 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
	t.Run("nobody looked for long", func(t *testing.T) {
		p := poolOf(usual(), 4)
		p.sees(3, busy)
		p.now += time.Hour
		if p.see(busy); p.workers != 4 {
			t.Errorf("%d workers (%s)", p.workers, p.why)
		}
	})
}

// A removal that was wrong is taken back, and tried again later and later.
func TestRemovalTakenBack(t *testing.T) {
	p := poolOf(usual(), 5)
	var tries []time.Duration
	for p.now < time.Hour {
		m := scale.Sample{}
		if p.workers < 5 {
			m.Queued = 100
		}
		if p.see(m) == scale.Idle {
			tries = append(tries, p.now)
		}
		if p.workers < 4 || p.workers > 5 || p.workers == 5 && len(tries) > 0 && p.why != scale.Undone {
			t.Fatalf("after %v: %d workers (%s)", p.now, p.workers, p.why)
		}
	}
	if len(tries) < 5 {
		t.Fatalf("removed only at %v", tries)
	}
	for i := 1; i < len(tries); i++ {
		gap := tries[i] - tries[i-1]
		if low := usual().DownAfter << min(i, 4); gap < low || gap > low+time.Minute/2 {
			t.Errorf("removal %d came %v after the one before", i, gap)
		}
	}
	p.sees(60*60, scale.Sample{}) // nobody is there any more
	if p.workers != 2 {
		t.Errorf("%d workers", p.workers)
	}
}

func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for r := scale.Stay; r <= scale.Idle; r++ {
		if seen[r.String()] || r.String() == "" {
			t.Errorf("reason %d is called %q", r, r)
		}
		seen[r.String()] = true
	}
}
