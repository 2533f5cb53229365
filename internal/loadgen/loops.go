package loadgen

import (
	"context"
	"errors"
	"time"
)

// ErrEnded is returned by Await when the load ended first.
var ErrEnded = errors.New("the load has ended")

// claim takes one request from the budget.
func (l *Load) claim() bool {
	return l.cfg.Requests <= 0 || l.left.Add(-1) >= 0
}

// going tells whether another request may be sent.
func (l *Load) going(ctx context.Context) bool {
	select {
	case <-l.stop:
		return false
	default:
		return ctx.Err() == nil
	}
}

// pause waits, and reports whether the load goes on.
func (l *Load) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return l.going(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.stop:
	case <-ctx.Done():
	}
	return false
}

// failurePause keeps clients from spinning on a server that refuses at once, and
// from using up the local ports.
const failurePause = time.Millisecond

func (l *Load) closedLoop(ctx context.Context) {
	c := newClient(l.cfg)
	defer c.close()
	for l.going(ctx) && l.claim() {
		begin := time.Now()
		a := c.do(ctx)
		l.record(a, time.Since(begin))
		think := l.cfg.Think
		if a.outcome.Failed() {
			think = max(think, failurePause)
		}
		if !l.pause(ctx, think) {
			return
		}
	}
}

// schedule hands out the moments at which requests are due. It never waits for a
// client: that is what makes the loop open.
func (l *Load) schedule(ctx context.Context, due chan<- time.Time) {
	defer close(due)
	step := float64(time.Second) / l.cfg.Rate
	for n := 0; l.claim(); n++ {
		moment := l.start.Add(time.Duration(float64(n) * step))
		if !l.pause(ctx, time.Until(moment)) {
			return
		}
		select {
		case due <- moment:
		default:
			l.record(answer{outcome: Missed}, 0)
		}
	}
}

func (l *Load) openLoop(ctx context.Context, due <-chan time.Time) {
	c := newClient(l.cfg)
	defer c.close()
	for moment := range due {
		if ctx.Err() != nil {
			l.record(answer{outcome: Aborted}, 0)
			continue
		}
		a := c.do(ctx)
		l.record(a, time.Since(moment))
	}
}
