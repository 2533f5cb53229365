package supervisor

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
)

// Places is where supervisors share worker ids, and the leaders of their pools.
type Places struct {
	Engine lease.Engine
	// Group is what the supervisors have in common that share: pools of one name are the same pool to them.
	Group string
	// KeepIDs: workers whose claim to their id is lost serve on.
	KeepIDs bool
	// Home is what others read of this supervisor, also when it is started anew.
	Home string
	// Clock is that of the engine's deadlines.
	Clock Clock

	// unadopted are descriptors of places that could not be taken over. The program before may get them back: they are not
	// for the garbage collector to close.
	unadopted []*os.File
}

// Clock is CLOCK_BOOTTIME; see lease.Session.
type Clock interface {
	Now() time.Duration
	AfterFunc(at time.Duration, f func()) (stop func(), err error)
}

const (
	// releaseTime is how long giving back may take, also at the end of the supervisor.
	releaseTime = 3 * time.Second
	// seekAgain is the pause after a mistake of the machine, such as a full disk. It doubles.
	seekAgain     = time.Second
	seekAgainMost = 30 * time.Second
)

// claims are what a pool has of what supervisors share, and what it waits for.
type claims struct {
	held  map[machine.Claim]lease.Claim
	quest [machine.ToRoll + 1]quest // by right
	past  []int                     // worker ids that were given back, the latest first: the next ones, if nobody else has them
}

// quest is the search for claims of one kind, one after the other.
type quest struct {
	open   int                // so many are asked for
	cancel context.CancelFunc // ends who asks; nil if nobody does
	why    string             // nobody has got one
	asked  time.Time
}

// name is what the engine calls what a pool shares.
func (p *pool) placesOf(right machine.Right) (name string, among lease.Range) {
	name = p.sup.cfg.World.Places.Group + "." + p.name
	if right == machine.ToLead {
		return name + ".leader", lease.Only(0)
	}
	return name + ".ids", lease.Range{First: p.st.Spec.FirstID, Last: min(p.st.Spec.LastID, lease.MaxPlace)}
}

// sourceOf is where claims of a kind come from.
func (p *pool) sourceOf(right machine.Right) source {
	if right == machine.ToRoll {
		return p.turns()
	}
	name, among := p.placesOf(right)
	return seeker{engine: p.sup.cfg.World.Places.Engine, name: name, among: among, prefer: slices.Clone(p.claims.past)}
}

func (p *pool) claim(a machine.Ask) {
	p.claims.quest[a.Right].open += a.Count
	p.seek(a.Right)
}

func (p *pool) unclaim(a machine.Unask) {
	q := &p.claims.quest[a.Right]
	if q.open = max(0, q.open-a.Count); q.open == 0 && q.cancel != nil {
		q.cancel()
	}
}

// seek has somebody ask for a claim beside the loop, if one is wanted and nobody does.
func (p *pool) seek(right machine.Right) {
	q := &p.claims.quest[right]
	if q.open == 0 || q.cancel != nil || p.sup.holdsLaunches() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := p.sourceOf(right)
	q.cancel, q.asked = cancel, time.Now()
	p.sup.goOn(func() {
		claim := seek(ctx, s, func(why string) { p.sup.mail.post(unclaimed{pool: p, right: right, why: why}) })
		cancel()
		p.sup.mail.post(sought{pool: p, right: right, claim: claim})
	})
}

// sought takes what was found, if anything was.
func (p *pool) sought(m sought) {
	q := &p.claims.quest[m.right]
	q.cancel, q.why = nil, ""
	if m.claim == nil {
		p.seek(m.right) // somebody has asked again meanwhile
		return
	}
	if p.st.Phase == machine.Exited {
		p.giveBack(m.claim)
		return
	}
	if isLost(m.claim) { // while this was on its way to us: nobody tells of its end again
		p.giveBack(m.claim)
		p.seek(m.right)
		return
	}
	q.open = max(0, q.open-1)
	claim := claimOf(m.right, m.claim)
	p.claims.held[claim] = m.claim
	p.log.Debug().Str(keyPlace, m.claim.Name()).Int(keyNumber, m.claim.Place()).Uint64(keyFence, m.claim.Fence()).Msg("claimed")
	p.seek(m.right)
	p.step(machine.Claimed{Claim: claim})
}

func isLost(c lease.Claim) bool {
	select {
	case <-c.Lost():
		return true
	default:
		return false
	}
}

func claimOf(right machine.Right, c lease.Claim) machine.Claim {
	claim := machine.Claim{Right: right, Fence: c.Fence()}
	if right == machine.ToID {
		claim.ID = c.Place()
	}
	return claim
}

// unclaimed says once why there is nothing to be had.
func (p *pool) unclaimed(m unclaimed) {
	q := &p.claims.quest[m.right]
	if q.cancel == nil || q.why == m.why {
		return
	}
	if q.why == "" || m.right == machine.ToID {
		p.log.Warn().Str(keyReason, m.why).Msg(waitsFor(m.right))
	}
	q.why = m.why
	p.changed()
}

func waitsFor(right machine.Right) string {
	switch right {
	case machine.ToLead:
		return "waits for the leader's place"
	case machine.ToRoll:
		return "waits for its turn at the rollout"
	case machine.ToID:
	}
	return "waits for a worker id"
}

// waits says for which claims the pool waits, and why.
func (p *pool) waits() []string {
	var words []string
	for right, q := range p.claims.quest {
		if q.open > 0 && q.why != "" {
			words = append(words, waitsFor(machine.Right(right))+": "+q.why)
		}
	}
	return words
}

// giveUp gives a claim back that the machine does not need any more.
func (p *pool) giveUp(a machine.Release) {
	if p.owes(a.Claim) {
		return
	}
	claim := p.claims.held[a.Claim]
	delete(p.claims.held, a.Claim)
	if claim == nil {
		return
	}
	if a.Claim.Right == machine.ToID {
		past := slices.DeleteFunc(p.claims.past, func(id int) bool { return id == a.Claim.ID })
		p.claims.past = append([]int{a.Claim.ID}, past[:min(len(past), machine.MaxWorkers)]...)
	}
	p.giveBack(claim)
}

func (p *pool) giveBack(claim lease.Claim) {
	p.sup.goOn(func() {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
		defer cancel()
		if err := claim.Release(ctx); err != nil && !errors.Is(err, lease.ErrClosed) {
			p.log.Warn().Err(err).Msg("cannot give back")
		}
	})
}

// endQuests ends who still asks.
func (p *pool) endQuests() {
	for right := range p.claims.quest {
		if q := &p.claims.quest[right]; q.cancel != nil {
			q.open = 0
			q.cancel()
		}
	}
}

// claimed are the claims that a worker has.
func (p *pool) claimed(ref machine.Ref) []lease.Claim {
	w, ok := p.st.Worker(ref)
	if !ok {
		return nil
	}
	var all []lease.Claim
	for claim, c := range p.claims.held {
		if w.Uses(claim) {
			all = append(all, c)
		}
	}
	return all
}

// viewClaims is nil where nothing is shared.
func (p *pool) viewClaims() *ClaimsView {
	if p.sup.cfg.World.Places == nil {
		return nil
	}
	// To wait for the lead, or for a turn, is nothing that is wrong.
	v := &ClaimsView{Held: len(p.claims.held), Waiting: p.claims.quest[machine.ToID].open, Waits: p.waits(), NoDeadman: p.sup.deadmanMissing()}
	for _, rec := range p.workers {
		if len(rec.lost) > 0 && !rec.over {
			v.Lost++
		}
	}
	return v
}

// left is in how many seconds what is held must not be used any more; nil if nothing is, or if it never ends. It asks the
// engine, since a renewal changes nothing else that is seen.
func (p *Places) left() *float64 {
	if p == nil {
		return nil
	}
	session := p.Engine.Session()
	if !ends(session) {
		return nil
	}
	return new((session.Deadline - p.Clock.Now()).Seconds())
}
