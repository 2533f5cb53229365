package supervisor

import (
	"context"
	"errors"
	"slices"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
)

// bereaved is a claim that was lost while its worker may still use it.
type bereaved struct {
	claim  machine.Claim
	place  lease.Claim
	sought bool // somebody claims the place again
}

// regain claims the ids again of workers that serve on without, as soon as that can be done.
func (s *Supervisor) regain() {
	if !s.tenure.bereaved {
		return
	}
	s.tenure.bereaved = false
	for _, p := range s.pools {
		for ref, rec := range p.workers {
			for i := range rec.lost {
				p.claimAgain(ref, &rec.lost[i])
			}
		}
	}
}

func (p *pool) claimAgain(ref machine.Ref, l *bereaved) {
	w, there := p.st.Worker(ref)
	if l.sought || l.claim.Right != machine.ToID || !p.st.Spec.KeepIDs || !there || !w.Health.HasProcess() {
		return
	}
	l.sought = true
	m, engine := regained{pool: p, ref: ref, was: l.claim}, p.sup.cfg.World.Places.Engine
	if !isLost(l.place) { // it was about to be lost when it was renewed
		m.claim = l.place
		p.sup.mail.post(m)
		return
	}
	name, place := l.place.Name(), l.place.Place()
	p.sup.goOn(func() {
		ctx, cancel := context.WithTimeout(p.sup.ctx, releaseTime)
		defer cancel()
		m.claim, m.err = engine.Claim(ctx, name, place)
		p.sup.mail.post(m)
	})
}

// regained hears what came of it. Where somebody else has the id by now, the worker that we have is replaced by one with
// another id.
func (p *pool) regained(m regained) {
	rec := p.workers[m.ref]
	at := -1
	if rec != nil {
		at = slices.IndexFunc(rec.lost, func(l bereaved) bool { return l.claim == m.was })
	}
	w, there := p.st.Worker(m.ref)
	gone := at < 0 || !there || !w.Health.HasProcess()
	var taken *lease.TakenError
	switch {
	case gone:
		if m.claim != nil {
			p.giveBack(m.claim)
		}
	case m.err == nil && isLost(m.claim): // again, while this was on its way to us
		rec.lost[at].place, rec.lost[at].sought = m.claim, false
		p.sup.tenure.bereaved = true
	case m.err == nil:
		rec.lost = slices.Delete(rec.lost, at, at+1)
		claim := claimOf(machine.ToID, m.claim)
		p.claims.held[claim] = m.claim
		p.of(p.log.Info(), rec).Uint64(keyFence, claim.Fence).Msg("worker id claimed again")
		p.step(machine.Claimed{Claim: claim, Again: true})
	case p.hasID(m.was.ID): // it came as one that was asked for
		rec.lost = slices.Delete(rec.lost, at, at+1)
	case errors.As(m.err, &taken) && !taken.Cooling && taken.Fence > m.was.Fence: // else what an earlier request did is in the way
		rec.lost = slices.Delete(rec.lost, at, at+1)
		p.of(p.log.Error(), rec).Str(keyReason, m.err.Error()).Msg("another worker has this one's id")
		p.recycle(rec, "its worker id is taken", func(e *zerolog.Event) *zerolog.Event { return e })
	default:
		rec.lost[at].sought = false
		p.sup.tenure.bereaved = true // at the next renewal
	}
}

func (p *pool) hasID(id int) bool {
	return slices.ContainsFunc(p.st.Held, func(h machine.Holding) bool { return h.Right == machine.ToID && h.ID == id })
}

// resumeClaims tells of the claims that were lost while one program took the place of another.
func (p *pool) resumeClaims() {
	for _, h := range p.st.Held {
		if c := p.claims.held[h.Claim]; c != nil && isLost(c) {
			p.lose(h.Claim, c)
		}
	}
}
