package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
)

// membership is a pool's place in its fleet, where others read how far its rollout is.
type membership struct {
	fleet  fleet.Config
	claim  lease.Claim        // nil until there is one
	cancel context.CancelFunc // ends who seeks the place, or writes to it; nil if nobody does
	said   string             // what is written there
	report fleet.Report       // what is to be
}

// fleet is a pool's as the engine knows it.
func (p *pool) fleetOf(c fleet.Config) fleet.Fleet {
	return fleet.Fleet{Engine: p.sup.cfg.World.Places.Engine, Config: c}
}

// attendFleet joins the fleet that the pool is to be in, and says there what it is at, when others are to see it.
func (p *pool) attendFleet() {
	if p.sup.cfg.World.Places == nil || p.sup.deaf == nil {
		return // nothing is shared, or nothing has begun
	}
	m, want := &p.member, p.comingFleet()
	if p.st.Phase == machine.Exited {
		want = fleet.Config{}
	}
	if m.fleet.Name != want.Name {
		p.leaveFleet()
	}
	if m.fleet != want {
		p.askAnew()
	}
	m.fleet = want
	p.confess()
	if want.Name == "" {
		return
	}
	p.account()
	switch text := m.report.Encode(); {
	case m.cancel != nil || p.sup.holdsLaunches():
	case m.claim == nil:
		p.joinFleet()
	case text != m.said:
		p.say(text)
	}
}

// account says what the pool is at. What others need not know is left out, so that it is written seldom.
func (p *pool) account() {
	m := &p.member
	r := fleet.Report{Pool: p.name, State: fleet.Idle, Generation: p.st.Generation}
	switch {
	case p.st.Rollout.Phase == machine.Rolling:
		r.State, r.Generation, r.Done, r.Workers = fleet.Rolls, p.st.Rollout.Target, p.rolled(), p.st.Spec.Workers
		if p.awaitsTurn() != "" { // it had one, and lost it
			r.State = fleet.Waits
		}
	case p.awaitsTurn() != "":
		r.State, r.Generation = fleet.Waits, p.st.Rollout.Queued
	case p.last != nil && p.last.State == stateFailed:
		r.State, r.Generation, r.Why = fleet.Failed, p.last.Generation, p.last.Reason
	case p.last != nil:
		r.State = fleet.Done
	}
	r.Since = m.report.Since
	if r.State != m.report.State || r.Generation != m.report.Generation || r.Since == 0 {
		r.Since = time.Now().Unix()
	}
	m.report = r
}

// rolled counts the slots that the rollout at hand is through with.
func (p *pool) rolled() int {
	n := 0
	for i := range min(len(p.st.Slots), p.st.Spec.Workers) {
		for _, w := range p.st.Slots[i].Workers {
			if w.Generation == p.st.Rollout.Target && w.Health.Serves() {
				n++
				break
			}
		}
	}
	return n
}

// joinFleet has somebody look for a place beside the loop.
func (p *pool) joinFleet() {
	m := &p.member
	name := m.fleet.Name
	seat := fleet.NewSeat(p.fleetOf(m.fleet), p.sup.cfg.World.Places.Home, p.name)
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(context.Background())
	p.sup.goOn(func() {
		claim := seek(ctx, seat, func(why string) {
			p.log.Debug().Str(keyFleet, name).Str(keyReason, why).Msg("cannot join the fleet yet")
		})
		p.sup.mail.post(joined{pool: p, fleet: name, claim: claim})
	})
}

// joined takes the place that was found, if it is still wanted.
func (p *pool) joined(m joined) {
	if p.member.fleet.Name != m.fleet || p.member.claim != nil {
		if m.claim != nil {
			p.giveBack(m.claim)
		}
		return
	}
	p.member.quiet()
	p.member.claim, p.member.said = m.claim, ""
}

// quiet takes note that nobody is at it beside the loop.
func (m *membership) quiet() {
	if m.cancel != nil {
		m.cancel()
		m.cancel = nil
	}
}

// say writes to the place, again and again until it is written.
func (p *pool) say(text string) {
	m := &p.member
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(context.Background())
	claim := m.claim
	p.sup.goOn(func() {
		err := write(ctx, claim, text)
		p.sup.mail.post(spoke{pool: p, claim: claim, text: text, err: err})
	})
}

func write(ctx context.Context, claim lease.Claim, text string) error {
	for pauses := (pauses{}); ; {
		err := claim.SetValue(ctx, text)
		if err == nil || errors.Is(err, lease.ErrLost) || errors.Is(err, lease.ErrClosed) || !pauses.rest(ctx) {
			return err
		}
	}
}

// spoke takes note of what is written, or that the place is lost.
func (p *pool) spoke(m spoke) {
	if p.member.claim != m.claim {
		return
	}
	p.member.quiet()
	switch {
	case m.err == nil:
		p.member.said = m.text
	case errors.Is(m.err, lease.ErrLost):
		p.loseMembership()
	}
}

// loseMembership has another place sought.
func (p *pool) loseMembership() {
	p.member.quiet()
	if p.member.claim != nil {
		p.giveBack(p.member.claim)
	}
	p.member.claim = nil
	p.changed()
}

// leaveFleet gives the place back.
func (p *pool) leaveFleet() {
	p.loseMembership()
	p.member = membership{}
}
