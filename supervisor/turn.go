package supervisor

import (
	"context"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor/machine"
)

// stateWaiting is the state of a rollout that waits for its turn.
const stateWaiting = "waiting"

// HandedFailure is a rollout that failed, of which its fleet has not been told yet. Until then it keeps its turn, so that nobody
// begins who does not know.
type HandedFailure struct {
	Fleet  fleet.Config
	Remark fleet.Remark
}

// confession is what a pool has to tell its fleet.
type confession struct {
	open   []HandedFailure
	cancel context.CancelFunc // ends who tells beside the loop; nil if nobody does
}

// comingFleet is the fleet of what the pool is to have when the rollouts that were asked for are through. That is who is asked
// for a turn.
func (p *pool) comingFleet() fleet.Config { return p.latest().cfg.Fleet }

// turns is where turns come from.
func (p *pool) turns() source { return fleet.NewQueue(p.fleetOf(p.comingFleet())) }

// awaitsTurn says why a rollout has no turn yet; "" if it needs none, or nobody knows.
func (p *pool) awaitsTurn() string {
	if !p.st.AwaitsTurn() {
		return ""
	}
	return p.claims.quest[machine.ToRoll].why
}

// admit takes note that the fleet has to hear of a rollout. One that was taken back before it began has failed nowhere, and a
// stop is no failure.
func (p *pool) admit(a machine.RolloutEnded, reason string) {
	e := p.editions[a.Target]
	if p.sup.cfg.World.Places == nil || e == nil || e.cfg.Fleet.Name == "" || a.Cause == machine.StopCame {
		return
	}
	f := HandedFailure{Fleet: e.cfg.Fleet, Remark: fleet.Remark{Who: p.sup.cfg.World.Places.Home, Why: reason, At: time.Now().UTC()}}
	for claim := range p.claims.held {
		if claim.Right == machine.ToRoll {
			f.Remark.Turn = claim.Fence
		}
	}
	p.confession.open = append(p.confession.open, f)
	p.confess()
}

// owes reports whether a turn goes back only when the fleet has been told of its failure.
func (p *pool) owes(claim machine.Claim) bool {
	return claim.Right == machine.ToRoll && slices.ContainsFunc(p.confession.open, func(f HandedFailure) bool { return f.Remark.Turn == claim.Fence })
}

// confess has somebody tell the fleet of the first failure, beside the loop, again and again until it is told.
func (p *pool) confess() {
	c := &p.confession
	if len(c.open) == 0 || c.cancel != nil || p.sup.holdsLaunches() || p.sup.ctx.Err() != nil {
		return
	}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(context.Background())
	f := c.open[0]
	to := p.fleetOf(f.Fleet)
	p.sup.goOn(func() {
		for pauses := (pauses{}); ; {
			asking, cancel := context.WithTimeout(ctx, fleetTime)
			s, err := to.Fail(asking, f.Remark)
			cancel()
			if err == nil || !pauses.rest(ctx) {
				p.sup.mail.post(confessed{pool: p, halts: s.Halts(f.Fleet), err: err})
				return
			}
			p.log.Warn().Err(err).Str(keyFleet, f.Fleet.Name).Msg("cannot tell the fleet yet that a rollout failed")
		}
	})
}

// confessed gives the turn back.
func (p *pool) confessed(m confessed) {
	c := &p.confession
	c.cancel()
	c.cancel = nil
	if m.err != nil || len(c.open) == 0 {
		return // an upgrade came in between, or the end
	}
	turn := machine.Claim{Right: machine.ToRoll, Fence: c.open[0].Remark.Turn}
	c.open = slices.Delete(c.open, 0, 1)
	if m.halts != "" {
		p.log.Error().Str(keyReason, m.halts).Msg("nobody in the fleet begins a rollout any more")
	}
	p.giveUp(machine.Release{Claim: turn})
	p.confess()
}

// falter leaves who tells the fleet a moment, at the end of the pool.
func (c *confession) falter() {
	if c.cancel != nil {
		time.AfterFunc(lastWords/2, c.cancel)
	}
}

// askAnew has who waits for a turn do so under another fleet, or under its other rules.
func (p *pool) askAnew() {
	if q := &p.claims.quest[machine.ToRoll]; q.cancel != nil {
		q.cancel() // and sought begins again
	}
}

// extend keeps systemd from giving a reload up that waits for its turn.
func (s *Supervisor) extend() {
	waits := s.systemd.told && slices.ContainsFunc(s.pools, func(p *pool) bool { return p.st.AwaitsTurn() })
	switch {
	case waits && s.patience == nil:
		s.patience = s.systemd.patience()
	case !waits && s.patience != nil:
		s.patience()
		s.patience = nil
	}
}
