package scale_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/supervisor/scale"
)

func drawPolicy(t *rapid.T) scale.Policy {
	p := scale.Policy{
		Min:       rapid.IntRange(1, 8).Draw(t, "min"),
		Queue:     rapid.SampledFrom([]float64{0, 0.3, 1, 2.5, 100}).Draw(t, "queue"),
		CPU:       rapid.SampledFrom([]int{0, 1, 500, 800, 4000}).Draw(t, "cpu"),
		UpAfter:   time.Duration(rapid.IntRange(0, 10).Draw(t, "up after")) * time.Second,
		DownAfter: time.Duration(rapid.IntRange(0, 60).Draw(t, "down after")) * time.Second,
	}
	p.Max = p.Min + rapid.IntRange(0, 60).Draw(t, "more")
	return p
}

func drawLoad(t *rapid.T) scale.Sample {
	return scale.Sample{
		Queued: rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 20), rapid.IntRange(0, 5000)).Draw(t, "queued"),
		CPU:    rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 5000), rapid.IntRange(0, 100_000)).Draw(t, "cpu used"),
	}
}

// A load that stays as it is moves the number in one direction, and then no more; also if some workers never serve.
func TestConstantLoadComesToRest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy, load := drawPolicy(rt), drawLoad(rt)
		load.Ready = -rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(rt, "not ready")
		p := poolOf(policy, rapid.IntRange(policy.Min, policy.Max).Draw(rt, "workers"))
		before := p.workers
		const long = 2000 // 68 workers less a quarter at once are gone after 23 removals
		p.sees(long, load)
		up := len(p.changes) > 0 && p.changes[0] > before
		for _, n := range p.changes {
			if n == before || (n > before) != up {
				rt.Fatalf("%+v of %+v: %v", load, policy, p.changes)
			}
			before = n
		}
		changes := len(p.changes)
		if p.sees(long, load); len(p.changes) > changes {
			rt.Fatalf("%+v of %+v: no rest: %v", load, policy, p.changes)
		}
	})
}

// A load that comes and goes faster than the policy waits changes nothing.
func TestFastLoadChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := drawPolicy(rt)
		policy.Queue = max(policy.Queue, 0.3)
		policy.UpAfter, policy.DownAfter = max(policy.UpAfter, 2*time.Second), max(policy.DownAfter, 2*time.Second)
		p := poolOf(policy, rapid.IntRange(policy.Min, policy.Max).Draw(rt, "workers"))
		flood := scale.Sample{Queued: 1_000_000}
		for range 50 {
			p.sees(rapid.IntRange(1, int(policy.UpAfter/time.Second)-1).Draw(rt, "flood"), flood)
			p.sees(rapid.IntRange(1, int(policy.DownAfter/time.Second)-1).Draw(rt, "ebb"), scale.Sample{})
		}
		if len(p.changes) > 0 {
			rt.Fatalf("%+v: %v", policy, p.changes)
		}
	})
}

// Whatever happens, the bounds hold, nothing changes before its time, no step is too large, none is made while workers
// are replaced, and no worker is removed while others do not serve.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := drawPolicy(rt)
		p := poolOf(policy, rapid.IntRange(1, 80).Draw(rt, "workers"))
		quiet := time.Duration(0) // since the last change, wish or hold
		whole := time.Duration(0) // that, or since a worker was not ready
		load := drawLoad(rt)
		for range rapid.IntRange(1, 300).Draw(rt, "seconds") {
			m := load
			switch rapid.IntRange(0, 12).Draw(rt, "what") {
			case 0:
				load = drawLoad(rt)
			case 1:
				m.Held = true
			case 2:
				m.Ready = -rapid.IntRange(1, p.workers).Draw(rt, "not ready")
			case 3:
				if wish := rapid.IntRange(1, 80).Draw(rt, "wish"); wish != p.workers {
					p.workers, quiet, whole = wish, 0, 0
				}
			case 4:
				p.now += time.Duration(rapid.IntRange(0, 5000).Draw(rt, "gap ms")) * time.Millisecond
			}
			before := p.workers
			why := p.see(m)
			quiet += 2 * time.Second // the most that a sample stands for
			whole += 2 * time.Second
			if m.Held {
				quiet, whole = 0, 0
			}
			if m.Ready < 0 {
				whole = 0
			}
			outside := before < policy.Min || before > policy.Max
			switch {
			case p.workers < policy.Min || p.workers > policy.Max:
				rt.Fatalf("%d workers of %+v", p.workers, policy)
			case (why == scale.Stay) != (p.workers == before) || (why == scale.Bounds) != outside:
				rt.Fatalf("%d -> %d: %s", before, p.workers, why)
			case outside || why == scale.Stay:
			case m.Held || m.Ready < 0 && p.workers < before:
				rt.Fatalf("%d -> %d (%s) at a bad moment", before, p.workers, why)
			case p.workers > before && (quiet < policy.UpAfter || p.workers > 2*before):
				rt.Fatalf("%d -> %d (%s) after %v", before, p.workers, why, quiet)
			case p.workers < before && (whole < policy.DownAfter || before-p.workers > max(1, before/4)):
				rt.Fatalf("%d -> %d (%s) after %v", before, p.workers, why, whole)
			}
			if p.workers != before {
				quiet, whole = 0, 0
			}
		}
	})
}
