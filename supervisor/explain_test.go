package supervisor

import (
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/scale"
)

// Who reads the log at night sees which number was above or below which key.
func TestExplanations(t *testing.T) {
	usual := scale.Policy{Min: 2, Max: 16, Queue: 1, CPU: 800, UpAfter: 5 * time.Second, DownAfter: 20 * time.Second}
	but := func(change func(*scale.Policy)) scale.Policy {
		p := usual
		change(&p)
		return p
	}
	for want, tt := range map[string]struct {
		policy scale.Policy
		sample scale.Sample
		to     int
		why    scale.Reason
	}{
		"":                      {usual, scale.Sample{Workers: 4, Ready: 4}, 4, scale.Stay},
		"it was below min = 2":  {usual, scale.Sample{Workers: 1, Ready: 1}, 2, scale.Bounds},
		"it was above max = 16": {usual, scale.Sample{Workers: 20, Ready: 1}, 16, scale.Bounds},
		"7 connections queued for 4 ready workers, more than queue = 1 each, for up_after = 5s": {
			usual, scale.Sample{Workers: 4, Ready: 4, Queued: 7, CPU: 4000}, 7, scale.Queue,
		},
		"2.85 CPUs used by 3 ready workers, more than cpu = 80% each, for up_after = 5s": {
			usual, scale.Sample{Workers: 4, Ready: 3, CPU: 2850}, 5, scale.CPU,
		},
		"1 connection queued for 1 ready worker, more than queue = 0.5 each, for up_after = 5s": {
			but(func(p *scale.Policy) { p.Queue = 0.5 }), scale.Sample{Workers: 1, Ready: 1, Queued: 1}, 2, scale.Queue,
		},
		"4 connections queued for 3 ready workers, more than queue = 1 each, for up_after = 5s, soon after there were 4": {
			usual, scale.Sample{Workers: 3, Ready: 3, Queued: 4}, 4, scale.Undone,
		},
		"3 of 4 workers were enough, with less than 70% of queue = 1 and of cpu = 80% each, for down_after = 20s": {
			usual, scale.Sample{Workers: 4, Ready: 4}, 3, scale.Idle,
		},
		"3 of 4 workers were enough, with less than 70% of cpu = 80% each, for down_after = 20s": {
			but(func(p *scale.Policy) { p.Queue = 0 }), scale.Sample{Workers: 4, Ready: 4}, 3, scale.Idle,
		},
		"3 of 4 workers were enough, with less than 70% of queue = 1 each, for down_after = 20s": {
			but(func(p *scale.Policy) { p.CPU = 0 }), scale.Sample{Workers: 4, Ready: 4}, 3, scale.Idle,
		},
	} {
		if got := explain(tt.policy, tt.sample, tt.to, tt.why); got != want {
			t.Errorf("%s: %q\nwant %q", tt.why, got, want)
		}
	}
}
