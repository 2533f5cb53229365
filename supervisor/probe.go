package supervisor

import (
	"context"
	"fmt"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

const (
	proofEvery   = 100 * time.Millisecond
	proofTimeout = 5 * time.Second
	// startEvery is how often a worker that starts is asked at least: somebody waits for it.
	startEvery = 200 * time.Millisecond
)

// asks reports whether there is a probe that we have to run.
func asks(c *plan.Probe) bool { return c != nil && c.Kind != probe.Notify }

// proofOf is the probe that a proof of readiness comes to.
func proofOf(r *worker.Readiness) *plan.Probe {
	c := probe.Config{Kind: probe.HTTP, Path: r.Path, Period: proofEvery, Timeout: proofTimeout}
	switch r.Kind { //nolint:exhaustive // the others are no probes
	case worker.ReadyTCP:
		c.Kind, c.Path = probe.TCP, ""
	case worker.ReadyExec:
		c.Kind, c.Path, c.Command = probe.Exec, "", r.Command
	}
	return &plan.Probe{Config: c}
}

// ask asks a worker that starts until it passes the gate that it is at, or nobody waits for it any more.
func (p *pool) ask(rec *record, c *plan.Probe) {
	q := p.question(rec, c)
	ctx, cancel := context.WithCancel(context.Background())
	rec.cancels = append(rec.cancels, cancel)
	ref, g := rec.ref, rec.gate
	p.sup.goProbing(func() {
		defer cancel()
		passed := q.insist(ctx, func(err error) {
			p.sup.mail.post(unproven{pool: p, ref: ref, gate: g, err: fmt.Errorf("%s: %w", g, err)})
		})
		if passed {
			p.sup.mail.post(proven{pool: p, ref: ref, gate: g, how: "probed"})
		}
	})
}

// insist asks in quick succession until the answers are those of a worker that works. Of each failure it tells that is
// another one than the last time. It returns false if the context ended first.
func (q *question) insist(ctx context.Context, failed func(error)) bool {
	next := time.NewTimer(q.InitialDelay)
	defer next.Stop()
	last, inARow := "", 0
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return false
		}
		begun := time.Now()
		err := q.Once(ctx, q.world)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil:
			if inARow++; inARow >= q.SuccessThreshold {
				return true
			}
		default:
			inARow = 0
			if text := err.Error(); text != last {
				last = text
				failed(err)
			}
		}
		next.Reset(min(q.Period, startEvery) - time.Since(begun))
	}
}
