package supervisor

import (
	"context"

	"github.com/broodctl/brood/supervisor/machine"
)

// errands are what is done for one pool beside the loop, before workers can be started: requirements are checked, and
// one-shot commands run. They end together when nobody wants their outcome any more.
type errands struct {
	ctx    context.Context //nolint:containedctx // of all that are under way
	cancel context.CancelFunc
	rolls  int // of them, those of rollouts
}

// errand returns the context for another one.
func (p *pool) errand() context.Context {
	if p.errands.ctx == nil || p.errands.ctx.Err() != nil {
		p.errands.ctx, p.errands.cancel = context.WithCancel(p.sup.ctx)
	}
	return p.errands.ctx
}

// dropErrands ends what is under way. Its outcome will be late, and is told from others by its context.
func (p *pool) dropErrands() {
	if p.errands.cancel != nil {
		p.errands.cancel()
	}
}

// start sees to what the pool needs, and then begins.
func (p *pool) start() {
	p.station = preparing
	e := p.edition()
	if len(e.cfg.Requires)+len(e.cfg.PreStart) == 0 {
		p.begin()
		return
	}
	p.sup.systemd.starting(e.cfg.RequiresTimeout + p.st.Spec.ReadyTimeout)
	p.recheck()
	ctx := p.errand()
	p.sup.goOn(func() {
		if !p.chores.take(ctx) {
			return
		}
		defer p.chores.give()
		p.sup.mail.post(startReady{pool: p, ctx: ctx, setback: p.sup.makeReady(ctx, e, 1)})
	})
}

// startReady begins, or says why not. A pool that cannot start ends the supervisor, unless a reload added it: then that
// fails.
func (p *pool) startReady(m startReady) {
	switch {
	case p.st.Phase != machine.Serving || m.ctx.Err() != nil:
	case m.setback == nil:
		p.unmet = nil
		p.begin()
	case p.sup.startFailed(p, m.setback):
		lines(p.log.Error().Err(m.setback.verdict().Err), m.setback.lines).Msg("cannot start")
		p.step(machine.StopRequested{})
	default:
		for _, err := range m.setback.errs {
			lines(p.log.Error().Err(err), m.setback.lines).Msg("cannot start")
		}
		p.sup.code = 1
		p.sup.leave()
	}
}

// startAnew puts a pool back that was preparing: what it was preparing for does not hold any more.
func (p *pool) startAnew() {
	p.dropErrands()
	if p.station == preparing {
		p.station = held
	}
}
