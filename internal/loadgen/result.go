package loadgen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Sample is one failure in words.
type Sample struct {
	After   time.Duration // since the start of the load
	Outcome Outcome
	Local   string // the client's own address, which tells connections apart; empty if there was none
	Err     error
}

// Result counts what became of the requests of a load.
type Result struct {
	Counts   [outcomes]int // by Outcome
	Statuses map[int]int   // complete responses by status
	Workers  map[Worker]int
	Latency  Histogram // of complete responses
	Samples  []Sample  // the first failures, as many as Config.Samples
	Elapsed  time.Duration

	LastFailed time.Duration // since the start of the load; 0 if none has failed
}

// Count gives the number of requests with one outcome.
func (r *Result) Count(o Outcome) int { return r.Counts[o] }

// OK is the number of complete, good responses.
func (r *Result) OK() int { return r.Counts[OK] }

// Failed is the number of requests that a client would call failed. It leaves out
// Reused, Aborted and Missed.
func (r *Result) Failed() int {
	n := 0
	for o, count := range r.Counts {
		if Outcome(o).Failed() {
			n += count
		}
	}
	return n
}

// Requests is the number of requests with a verdict: all but Aborted and Missed.
func (r *Result) Requests() int { return r.OK() + r.Failed() + r.Counts[Reused] }

// Slots, PIDs and Generations sum the good responses by one field of the worker.
func (r *Result) Slots() map[int]int { return r.by(func(w Worker) int { return w.Slot }) }

// PIDs: see Slots.
func (r *Result) PIDs() map[int]int { return r.by(func(w Worker) int { return w.PID }) }

// Generations: see Slots.
func (r *Result) Generations() map[int]int { return r.by(func(w Worker) int { return w.Generation }) }

func (r *Result) by(field func(Worker) int) map[int]int {
	sums := make(map[int]int)
	for w, n := range r.Workers {
		sums[field(w)] += n
	}
	return sums
}

// Rate is good responses per second.
func (r *Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.OK()) / r.Elapsed.Seconds()
}

// String is a table for people.
func (r *Result) String() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "requests\t%d in %s\t%.0f/s\n", r.Requests(), r.Elapsed.Round(time.Millisecond), r.Rate())
	fmt.Fprintf(w, "failed\t%d\n", r.Failed())
	for o, n := range r.Counts {
		if n > 0 {
			fmt.Fprintf(w, "  %s\t%d\n", Outcome(o), n)
		}
	}
	fmt.Fprintf(w, "latency\tp50 %s\tp90 %s\tp99 %s\tmax %s\n", short(r.Latency.Quantile(0.5)),
		short(r.Latency.Quantile(0.9)), short(r.Latency.Quantile(0.99)), short(r.Latency.Max()))
	slots := r.Slots()
	for _, slot := range slices.Sorted(maps.Keys(slots)) {
		fmt.Fprintf(w, "slot %d\t%d\t%.1f %%\n", slot, slots[slot], 100*float64(slots[slot])/float64(max(r.OK(), 1)))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for _, s := range r.Samples {
		fmt.Fprintf(&out, "+%s %s: %v\n", s.After.Round(time.Millisecond), s.Outcome, s.Err)
	}
	return out.String()
}

func short(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}
