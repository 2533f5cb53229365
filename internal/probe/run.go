package probe

import (
	"context"
	"math/bits"
	"time"
)

// Run asks a worker until the context ends, and reports each change of the verdict. The configuration is one that
// Validate accepts. An attempt that the end of the context cut off counts for nothing. A report must not wait: the next
// attempt does. For kind Notify there is nothing to run, and it returns at once.
func Run(ctx context.Context, c Config, w World, report func(Outcome)) {
	if c.Kind == Notify {
		return
	}
	c = c.WithDefaults()
	count := tally{success: c.SuccessThreshold, failure: c.FailureThreshold}
	next := time.NewTimer(c.InitialDelay + w.Delay)
	defer next.Stop()
	answer := make(chan error)
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
		begun := time.Now()
		// On a stack of its own, which an attempt lets grow: this one stays small for the years that it waits.
		go func() { answer <- c.Once(ctx, w) }()
		err := <-answer
		if ctx.Err() != nil {
			return
		}
		if outcome, changed := count.add(begun, time.Since(begun), err); changed {
			report(outcome)
		}
		next.Reset(c.Period - time.Since(begun))
	}
}

// Spread is a part of the period, less than all of it, by which the first attempt at a worker is put off, so that a
// thousand are not asked in one instant. Consecutive seeds are spread as evenly as can be, however many there are: give
// the slot, plus an offset for each pool and each of its probes. A worker that starts is awaited: give its probe none.
func Spread(seed uint64, period time.Duration) time.Duration {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: multiples of it keep apart, see Knuth 6.4
	part, _ := bits.Mul64(seed*golden, uint64(max(period, 0)))
	return time.Duration(part)
}
