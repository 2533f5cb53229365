package supervisor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
)

// HandedPlace is a place that is claimed.
type HandedPlace struct {
	Saved lease.Saved
	FD    int // -1 if it has no descriptor
}

// HandedClaim is a claim that a pool has.
type HandedClaim struct {
	Claim machine.Claim
	HandedPlace
}

func handPlace(c lease.Claim) HandedPlace {
	h := HandedPlace{Saved: c.Saved(), FD: -1}
	if f := c.File(); f != nil {
		h.FD = int(f.Fd())
	}
	return h
}

// adopt takes over the place that another program had. Its descriptor holds the place also if that fails.
func (p *Places) adopt(h HandedPlace) (lease.Claim, error) {
	if p == nil { // the descriptor, if there is one, stays with the program before, or ends with ours
		return nil, fmt.Errorf("place %d of %s: nothing is shared any more", h.Saved.Place, h.Saved.Name)
	}
	var f *os.File
	if h.FD >= 0 {
		f = os.NewFile(uintptr(h.FD), h.Saved.Name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	c, err := p.Engine.Adopt(ctx, h.Saved, f)
	if err != nil && f != nil {
		p.unadopted = append(p.unadopted, f)
	}
	return c, err
}

// letGo closes what could not be adopted, when the program before will not come back.
func (p *Places) letGo() {
	if p == nil {
		return
	}
	for _, f := range p.unadopted {
		_ = f.Close()
	}
	p.unadopted = nil
}

// handClaims writes down what a pool has of what supervisors share.
func (p *pool) handClaims() []HandedClaim {
	var all []HandedClaim
	for claim, c := range p.claims.held {
		all = append(all, HandedClaim{Claim: claim, HandedPlace: handPlace(c)})
	}
	slices.SortFunc(all, func(a, b HandedClaim) int {
		return cmp.Or(cmp.Compare(a.Claim.Right, b.Claim.Right), cmp.Compare(a.Claim.ID, b.Claim.ID))
	})
	return all
}

// adoptClaims takes over what another program has claimed.
func (p *pool) adoptClaims(all []HandedClaim) error {
	for _, h := range all {
		c, err := p.sup.cfg.World.Places.adopt(h.HandedPlace)
		if err != nil {
			return err
		}
		p.claims.held[h.Claim] = c
	}
	return nil
}

// adoptLost takes over what a worker may still use though it was lost.
func (p *pool) adoptLost(rec *record, all []HandedClaim) error {
	for _, h := range all {
		c, err := p.sup.cfg.World.Places.adopt(h.HandedPlace)
		if err != nil {
			return err
		}
		rec.lost = append(rec.lost, bereaved{claim: h.Claim, place: c})
		p.sup.tenure.bereaved = true
	}
	return nil
}

// resumeQuests asks on for what the other program had asked for.
func (p *pool) resumeQuests() {
	for right, n := range p.st.Asked {
		p.claims.quest[right].open = n
		p.seek(machine.Right(right))
	}
}

// pauseQuests ends who asks for claims; what is asked for stays so.
func (s *Supervisor) pauseQuests() {
	for _, p := range s.pools {
		for _, q := range p.claims.quest {
			if q.cancel != nil {
				q.cancel()
			}
		}
		for _, cancel := range []context.CancelFunc{p.member.cancel, p.confession.cancel} {
			if cancel != nil {
				cancel()
			}
		}
	}
}

// seeks reports whether somebody asks for a claim, or writes to one.
func (s *Supervisor) seeks() bool {
	return slices.ContainsFunc(s.pools, func(p *pool) bool {
		return p.member.cancel != nil || p.confession.cancel != nil || slices.ContainsFunc(p.claims.quest[:], func(q quest) bool { return q.cancel != nil })
	})
}
