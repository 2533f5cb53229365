package supervisor

import (
	"context"
	"os"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/lease"
)

// HandedMember is the place that a pool has in its fleet.
type HandedMember struct {
	Fleet fleet.Config
	Saved lease.Saved
	FD    int // -1 if it has no descriptor
	Said  string
}

func (p *pool) handMember() *HandedMember {
	m := &p.member
	if m.claim == nil {
		return nil
	}
	h := &HandedMember{Fleet: m.fleet, Saved: m.claim.Saved(), FD: -1, Said: m.said}
	if f := m.claim.File(); f != nil {
		h.FD = int(f.Fd())
	}
	return h
}

// adoptMember takes over the place that another program had. Without it the pool joins its fleet anew.
func (p *pool) adoptMember(h *HandedMember) {
	places := p.sup.cfg.World.Places
	if h == nil {
		return
	}
	var f *os.File
	if h.FD >= 0 {
		f = os.NewFile(uintptr(h.FD), h.Saved.Name)
	}
	err := lease.ErrLost
	var c lease.Claim
	if places != nil {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
		c, err = places.Engine.Adopt(ctx, h.Saved, f)
		cancel()
	}
	if err != nil {
		p.log.Warn().Err(err).Str(keyFleet, h.Fleet.Name).Msg("the place in the fleet is lost, and looked for again")
		_ = f.Close() // nil has nothing to close
		return
	}
	select {
	case <-c.Lost():
		p.giveBack(c)
		return
	default:
	}
	p.member = membership{fleet: h.Fleet, claim: c, said: h.Said, report: fleet.ReadReport(h.Said)}
}
