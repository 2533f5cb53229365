package supervisor

import (
	"github.com/broodctl/brood/internal/fleet"
)

// HandedMember is the place that a pool has in its fleet.
type HandedMember struct {
	Fleet fleet.Config
	HandedPlace
	Said string
}

func (p *pool) handMember() *HandedMember {
	m := &p.member
	if m.claim == nil {
		return nil
	}
	return &HandedMember{Fleet: m.fleet, HandedPlace: handPlace(m.claim), Said: m.said}
}

// adoptMember takes over the place that another program had. Without it the pool joins its fleet anew.
func (p *pool) adoptMember(h *HandedMember) {
	if h == nil {
		return
	}
	c, err := p.sup.cfg.World.Places.adopt(h.HandedPlace)
	if err != nil {
		p.log.Warn().Err(err).Str(keyFleet, h.Fleet.Name).Msg("the place in the fleet is lost, and looked for again")
		return
	}
	if isLost(c) {
		p.giveBack(c)
		return
	}
	p.member = membership{fleet: h.Fleet, claim: c, said: h.Said, report: fleet.ReadReport(h.Said)}
}
