package supervisor

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// monitor watches a worker that has been ready, until it is told to leave or dies. It begins anew when the pool's
// description says something else of that.
func (p *pool) monitor(rec *record) {
	rec.unwatch()
	h := &rec.edition.cfg.Health
	p.observe(rec, byReadiness, h.Readiness)
	p.observe(rec, byLiveness, h.Liveness)
	p.guard(rec)
	p.beginService(rec)
	p.beginRounds(rec)
	if _, told := p.reloading.told[rec]; told {
		p.restoreSoon(rec) // it gets the whole time again
	}
}

// rewatch follows a change of the pool's description. What is counted goes on if the change is about something else.
func (p *pool) rewatch(rec *record, was *plan.Pool) {
	is := rec.edition.cfg
	switch {
	case rec.proc == nil || rec.over || rec.asked || rec.leaves:
	case rec.gate == through && !plan.SameWatch(was, is):
		p.monitor(rec)
	case rec.gate != through && !plan.SameProof(was, is):
		p.enter(rec, rec.gate, "")
	}
}

// observe runs one probe of a worker, and hears of each change of its verdict.
func (p *pool) observe(rec *record, by sense, c *plan.Probe) {
	if !asks(c) {
		p.acquit(rec, by)
		return
	}
	q := p.question(rec, c)
	q.InitialDelay = max(0, q.InitialDelay-rec.age())
	q.world.Delay = probe.Spread(p.spread(rec.ref.Slot, by), q.Period)
	ctx, cancel := context.WithCancel(context.Background())
	rec.cancels = append(rec.cancels, cancel)
	ref, watch := rec.ref, rec.watch
	p.sup.goProbing(func() {
		probe.Run(ctx, q.Config, q.world, func(o probe.Outcome) {
			p.sup.mail.post(probed{pool: p, ref: ref, watch: watch, by: by, outcome: o})
		})
	})
}

// spread keeps the probes of all workers of all pools apart.
func (p *pool) spread(slot int, by sense) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.name)) // never fails
	return h.Sum64() + uint64(by)<<32 + uint64(slot)
}

// probed hears another verdict.
func (p *pool) probed(m probed) {
	rec := p.workers[m.ref]
	if rec == nil || rec.watch != m.watch {
		return
	}
	if m.outcome.Verdict == probe.Passing {
		p.acquit(rec, m.by)
		return
	}
	detail := fmt.Sprintf("%s: %v", m.by, m.outcome.Err)
	if n := m.outcome.InARow; n > 1 {
		detail += fmt.Sprintf(" %d times in a row", n)
	}
	p.accuse(rec, m.by, detail)
}

// String names the sense where it is a probe.
func (s sense) String() string { return [...]string{"readiness", "liveness", "watchdog", "hang"}[s] }

// guard begins to wait for what the worker has to say again and again. What it said before that it does not work stands.
func (p *pool) guard(rec *record) {
	limit := rec.edition.cfg.Health.Watchdog
	rec.watchdog, rec.beats = nil, 0
	if limit == 0 {
		return
	}
	ref, watch := rec.ref, rec.watch
	w := probe.StartWatchdog(limit, func(m probe.Missed) {
		p.sup.mail.post(missed{pool: p, ref: ref, watch: watch, missed: m})
	})
	rec.watchdog = w
	rec.cancels = append(rec.cancels, w.Stop)
}

// beat hears that the worker is alive.
func (p *pool) beat(rec *record) {
	if rec.watchdog == nil {
		return
	}
	rec.watchdog.Beat()
	rec.beats++
	p.acquit(rec, byWatchdog)
}

// missed hears that the worker has let its time pass. If it was heard of since then, that is no longer so.
func (p *pool) missed(m missed) {
	rec := p.workers[m.ref]
	if rec == nil || rec.watch != m.watch || rec.beats != m.missed.Beats {
		return
	}
	p.accuse(rec, byWatchdog, fmt.Sprintf("no WATCHDOG=1 for %s, after %d of them",
		time.Since(m.missed.Last).Round(time.Millisecond), m.missed.Beats))
}

// trigger does what a missed watchdog would do, because the worker says so.
func (p *pool) trigger(rec *record) {
	const detail = "the worker asked for it with WATCHDOG=trigger"
	if rec.gate == through {
		p.accuse(rec, byWatchdog, detail)
		return
	}
	if !rec.asked { // one that starts has no health yet, and is told to leave rather than traced
		rec.fault = complaint{cause: CauseWatchdog, detail: detail, since: time.Now()}
		p.step(machine.Failed{Ref: rec.ref, Age: rec.age()})
	}
}
