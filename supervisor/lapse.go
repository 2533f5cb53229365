package supervisor

import (
	"maps"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
)

// tenure is how long what supervisors share may be used, where that ends.
type tenure struct {
	session  lease.Session
	kill     time.Duration // when the deadman kills who uses it
	stage    lapseStage
	stop     func() // the timer
	bereaved bool   // there are workers whose claims are to be had again
}

// lapseStage is how far a session is that is not renewed.
type lapseStage uint8

const (
	renewed lapseStage = iota
	lapsing            // workers are told to leave
	over               // workers are killed
)

// The last third of what is left at a renewal is for workers to leave, and the end of it for the kernel to kill who does
// not: an eighth, and no more than a second.
const (
	lapseShare = 3
	killShare  = 8
	killTime   = time.Second
)

// Heard passes on news of the session of Places. It may be called at any time, from any goroutine.
func (s *Supervisor) Heard(n lease.Notice) {
	if n.Kind != lease.Lost {
		s.putOff(n.Session)
	}
	s.mail.post(heard{n})
}

func (s *Supervisor) heard(n lease.Notice) {
	switch n.Kind {
	case lease.Began, lease.Renewed:
		s.renew(n.Session)
	case lease.Lost:
		s.log.Error().Err(n.Err).Msg("what is shared with other supervisors is lost")
		if n.Session.ID == s.tenure.session.ID {
			s.tenure.stage = over
		}
		s.lapse(n.Session.ID, over)
	}
}

// renew puts the end off.
func (s *Supervisor) renew(session lease.Session) {
	if s.tenure.stage != renewed && session.ID == s.tenure.session.ID {
		s.log.Info().Msg("what is shared with other supervisors is renewed")
	}
	s.tenure.session, s.tenure.stage, s.tenure.kill = session, renewed, s.killAt(session)
	s.await(lapsing)
	s.arm(session)
	s.regain()
}

// await sets the timer of the next stage.
func (s *Supervisor) await(next lapseStage) {
	if s.tenure.stop != nil {
		go s.tenure.stop() // it waits for its function, which may be at our mailbox
		s.tenure.stop = nil
	}
	session := s.tenure.session
	if !ends(session) {
		return
	}
	clock := s.cfg.World.Places.Clock
	left := session.Deadline - clock.Now()
	at := session.Deadline - left/lapseShare
	if next == over {
		at = session.Deadline - min(left*lapseShare/killShare, killTime)
	}
	stop, err := clock.AfterFunc(at, func() { s.mail.post(lapseDue{session: session, stage: next}) })
	if err != nil {
		s.log.Error().Err(err).Msg("no timer for what is shared with other supervisors")
		s.lapse(session.ID, over)
		return
	}
	s.tenure.stop = stop
}

func (s *Supervisor) lapseDue(m lapseDue) {
	if m.session != s.tenure.session || m.stage <= s.tenure.stage {
		return // it was put off
	}
	s.tenure.stage = m.stage
	if m.stage == lapsing {
		s.log.Warn().Dur(keyAfter, m.session.Deadline-s.cfg.World.Places.Clock.Now()).Msg("what is shared with other supervisors will be lost")
		s.await(over)
	}
	s.lapse(m.session.ID, m.stage)
}

// lapse tells the pools of all claims of a session.
func (s *Supervisor) lapse(id lease.SessionID, to lapseStage) {
	for _, p := range s.pools {
		if c := p.member.claim; to == over && c != nil && c.Saved().Session == id {
			p.loseMembership()
		}
		for _, claim := range slices.Collect(maps.Keys(p.claims.held)) {
			c := p.claims.held[claim]
			switch {
			case c == nil || c.Saved().Session != id:
			case to == lapsing:
				p.step(machine.Lapses{Claim: claim})
			default:
				p.lose(claim, c)
			}
		}
	}
}

func (p *pool) lose(claim machine.Claim, c lease.Claim) {
	delete(p.claims.held, claim)
	p.mourn(claim, c)
	p.step(machine.Lost{Claim: claim})
}

// mourn sees to it that a claim that was lost is given back when its worker is gone: then others need not wait for the
// cooldown.
func (p *pool) mourn(claim machine.Claim, c lease.Claim) {
	for ref, rec := range p.workers {
		w, ok := p.st.Worker(ref)
		if ok && w.Health.HasProcess() && w.Uses(claim) {
			rec.lost = append(rec.lost, bereaved{claim: claim, place: c})
			p.sup.tenure.bereaved = true
			return
		}
	}
	p.giveBack(c)
}

// beginTenure waits for the end of the session that there is.
func (s *Supervisor) beginTenure() {
	if places := s.cfg.World.Places; places != nil {
		s.renew(places.Engine.Session())
	}
}
