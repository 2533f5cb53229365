package supervisor

import (
	"fmt"

	"github.com/broodctl/brood/supervisor/scale"
)

// explain says for people why a policy came to a number after a sample: what was above or below which key of the
// configuration.
func explain(p scale.Policy, m scale.Sample, want int, why scale.Reason) string {
	switch why {
	case scale.Bounds:
		if m.Workers < want {
			return fmt.Sprintf("it was below min = %d", p.Min)
		}
		return fmt.Sprintf("it was above max = %d", p.Max)
	case scale.Queue, scale.CPU:
		return fmt.Sprintf("%s, for up_after = %v", excess(p, m), p.UpAfter)
	case scale.Undone:
		return fmt.Sprintf("%s, for up_after = %v, soon after there were %d", excess(p, m), p.UpAfter, want)
	case scale.Idle:
		return fmt.Sprintf("%d of %s were enough, with less than %.0f%% of %s each, for down_after = %v",
			want, count(m.Workers, "worker"), 100*scale.Share, targets(p), p.DownAfter)
	case scale.Stay:
	}
	return ""
}

// excess says what is too much.
func excess(p scale.Policy, m scale.Sample) string {
	if p.Excess(m) == scale.CPU {
		return fmt.Sprintf("%.2f CPUs used by %s, more than cpu = %g%% each", float64(m.CPU)/1000, count(m.Serving(), "ready worker"), float64(p.CPU)/10)
	}
	return fmt.Sprintf("%s queued for %s, more than queue = %g each", count(m.Queued, "connection"), count(m.Serving(), "ready worker"), p.Queue)
}

// targets are those that count.
func targets(p scale.Policy) string {
	queue, cpu := fmt.Sprintf("queue = %g", p.Queue), fmt.Sprintf("cpu = %g%%", float64(p.CPU)/10)
	switch {
	case p.CPU == 0:
		return queue
	case p.Queue == 0:
		return cpu
	}
	return queue + " and of " + cpu
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
