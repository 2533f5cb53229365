package supervisor

import (
	"errors"
	"slices"
	"time"
)

// recheck takes a look at what a pool requires: when it is about to wait for that, so that people see what it waits for;
// when one of its workers died unasked, which the loss of a requirement may explain; and, while something is missing, when
// one became ready.
func (p *pool) recheck() {
	e := p.edition()
	if p.checking || len(e.cfg.Requires) == 0 || p.sup.leaving {
		return
	}
	p.checking = true
	generation, at := p.wanted(), p.station
	p.sup.goOn(func() {
		var unmet []string
		if b := p.sup.require(p.sup.ctx, e, generation, onceOnly); b != nil {
			for _, err := range b.errs {
				unmet = append(unmet, plainest(err).Error())
			}
		}
		p.sup.mail.post(rechecked{pool: p, edition: e, at: at, unmet: unmet})
	})
}

// onceOnly is the timeout that means a single attempt at each; see require.All. A short one would leave no time for it.
const onceOnly = time.Duration(0)

// plainest is the end of a chain of errors of ours: what the check itself said.
func plainest(err error) error {
	for {
		many, ok := err.(interface{ Unwrap() []error })
		if !ok {
			return err
		}
		all := many.Unwrap()
		err = all[len(all)-1]
	}
}

// rechecked says what is missing or vanished, and what came back.
func (p *pool) rechecked(m rechecked) {
	p.checking = false
	if slices.Equal(m.unmet, p.unmet) || p.sup.ctx.Err() != nil || p.station != m.at || !slices.Equal(m.edition.cfg.Requires, p.cfg().Requires) {
		return
	}
	for _, text := range m.unmet {
		switch {
		case slices.Contains(p.unmet, text):
		case m.at == preparing:
			p.log.Warn().Err(errors.New(text)).Msg("requirement does not hold yet")
		default:
			p.log.Error().Err(errors.New(text)).Msg("requirement does not hold any more")
		}
	}
	if len(m.unmet) == 0 {
		p.log.Info().Msg("requirements hold again")
	}
	p.unmet = m.unmet
}
