package web

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// pulseAge is how long a sign of life counts.
	pulseAge = time.Second
	// pulsePatience is how long the loop may take for one. It never waits for anything, so this is a matter of how busy the
	// machine is.
	pulsePatience = 2 * time.Second
)

// errSilent: the loop does not turn, or far too slowly.
var errSilent = errors.New("the supervisor's loop does not answer")

// pulse asks the loop whether it turns, once for all who want to know. A loop that does not answer is not asked again, so
// nothing heaps up in front of it.
type pulse struct {
	ask    func(context.Context) error
	ctx    context.Context //nolint:containedctx // of the question, which outlives the request that made it be asked
	cancel context.CancelFunc
	asking sync.WaitGroup

	mu   sync.Mutex
	last time.Time // it answered
	beat *beat     // the question at hand
}

// beat is one question.
type beat struct {
	answered chan struct{}
	err      error // once answered
}

func newPulse(ask func(context.Context) error) *pulse {
	p := &pulse{ask: ask}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// check returns nil if the loop turns.
func (p *pulse) check(ctx context.Context) error {
	b := p.question()
	if b == nil {
		return nil
	}
	patience := time.NewTimer(pulsePatience)
	defer patience.Stop()
	select {
	case <-b.answered:
		return b.err
	case <-patience.C:
		return fmt.Errorf("%w within %s", errSilent, pulsePatience)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errSilent, ctx.Err())
	}
}

// question returns what to wait for, nil if the loop answered just now.
func (p *pulse) question() *beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.beat != nil {
		return p.beat
	}
	if !p.last.IsZero() && time.Since(p.last) < pulseAge {
		return nil
	}
	b := &beat{answered: make(chan struct{})}
	if b.err = p.ctx.Err(); b.err != nil { // after stop nobody would wait for the question
		close(b.answered)
		return b
	}
	p.beat = b
	p.asking.Go(func() {
		b.err = p.ask(p.ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.beat = nil; b.err == nil {
			p.last = time.Now()
		}
		close(b.answered)
	})
	return b
}

// stop ends the question at hand. There is no further one: who still wants to know hears that it is over.
func (p *pulse) stop() {
	p.mu.Lock()
	p.cancel()
	p.mu.Unlock()
	p.asking.Wait()
}
