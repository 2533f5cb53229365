package supervisor

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// pool is one pool at work: the machine's state, and the world's side of each of its workers. Only the loop uses it.
type pool struct {
	sup  *Supervisor
	name string
	log  zerolog.Logger
	st   machine.State
	// editions are by generation. There is always one of the generation that is known to be good.
	editions   map[uint64]*edition
	coming     *edition // of the rollout that is being asked for; see enrol
	station    station
	scaling    scaling // what is known of its load
	claims     claims  // what it shares with other supervisors
	member     membership
	confession confession
	first      bool     // the supervisor began with it
	settled    bool     // every slot has been ready once
	unmet      []string // what it requires and was found missing
	checking   bool     // somebody is looking whether that is still so
	chores     turn     // of its one-shot commands: one at a time
	errands    errands
	workers    map[machine.Ref]*record
	slots      map[int]*slotBook
	timers     map[machine.Timer]timer
	serial     uint64          // counts the timers
	next       []machine.Event // what performing found out on the spot
	waiting    []waiter        // for the end of a rollout
	restarts   []restart       // that somebody waits for
	last       *RolloutView
	relays     relays // of the request at hand
	reloading  reloading
	reloads    ReloadsView
	dead       []*record               // whose places may not be free yet
	steerTo    []machine.Place         // not done yet; nil if it is
	code       int                     // what the pool exited with
	unfit      map[*record]bool        // workers that something is wrong with
	rounds     [roundKinds]*time.Timer // under way, or to come; nil if there is nobody to look at
	repairs    Repairs
	scaledFor  string    // why the number of workers changes, if it follows the load
	repairedAt time.Time // in a round
	deaths     map[Cause]int
	shown      figures // in the snapshot
}

// slotBook is what a slot remembers of the workers it had.
type slotBook struct {
	restarts int
	lastExit string
	requests atomic.Uint64 // that its workers said they served; read by whoever asks, so that a report publishes nothing
}

func newPool(s *Supervisor, e *edition) *pool {
	p := &pool{
		sup:      s,
		name:     e.cfg.Name,
		log:      s.log.With().Str(keyPool, e.cfg.Name).Logger(),
		editions: map[uint64]*edition{1: e},
		chores:   make(turn, 1),
		workers:  map[machine.Ref]*record{},
		slots:    map[int]*slotBook{},
		timers:   map[machine.Timer]timer{},
		unfit:    map[*record]bool{},
		deaths:   map[Cause]int{},
		claims:   claims{held: map[machine.Claim]lease.Claim{}},
	}
	p.st = machine.State{Spec: p.seeded(e.cfg.Spec), Generation: 1}
	return p
}

// begin starts the workers.
func (p *pool) begin() {
	st, actions := machine.New(p.st.Spec)
	p.st = st
	p.station = running
	p.perform(actions)
}

// cfg is what the pool is to be, or is on its way to.
func (p *pool) cfg() *plan.Pool { return p.edition().cfg }

// wanted is the generation that the pool is to have.
func (p *pool) wanted() uint64 {
	if p.st.Rollout.Phase == machine.Rolling {
		return p.st.Rollout.Target
	}
	return p.st.Generation
}

// timer is one that runs. The serial tells it from an earlier one of the same key, whose end may be on its way.
type timer struct {
	*time.Timer
	serial uint64
	ends   time.Time
}

// step tells the machine what happened and performs what it decides. What performing finds out on the spot follows
// when all of it has been done: actions of two steps must not mix.
func (p *pool) step(ev machine.Event) {
	p.changed()
	for p.next = append(p.next, ev); len(p.next) > 0; p.next = p.next[1:] {
		before := p.st
		st, actions := machine.Step(p.st, p.next[0])
		p.st = st
		p.enrol()
		if e := p.log.Debug(); e.Enabled() {
			e.Str(keyEvent, describe(p.next[0])).Strs(keyActions, describeAll(actions)).Msg("step")
		}
		p.perform(actions)
		p.tellMoves(&before)
	}
	p.next = nil
	p.sweep()
	p.settleRestarts()
}

// sweep forgets the workers whose places the machine has freed.
func (p *pool) sweep() {
	before := len(p.dead)
	p.dead = slices.DeleteFunc(p.dead, func(rec *record) bool {
		if w, ok := p.st.Worker(rec.ref); ok && w.Health.HasProcess() {
			return false // others of its group live
		}
		rec.release()
		for _, l := range rec.lost {
			p.giveBack(l.place)
		}
		delete(p.workers, rec.ref)
		return true
	})
	if len(p.dead) < before {
		p.prune()
	}
}

// close ends what the pool still holds; after a forced exit workers may be among it.
func (p *pool) close() {
	for _, t := range p.timers {
		t.Stop()
	}
	for _, rec := range p.workers {
		rec.release()
	}
	p.endQuests()
	p.leaveFleet()
	p.confession.falter()
	if groups := p.sup.cfg.World.Groups; groups != nil {
		p.sup.goOn(func() { groups.Forget(p.name) }) // one of its name may be there again: its groups stay
	}
	for _, t := range p.rounds {
		if t != nil {
			t.Stop()
		}
	}
	p.settle(func(waiter) bool { return true }, Verdict{Err: ErrStopped})
	p.dropRestarts(Verdict{Err: ErrStopped})
	for _, e := range p.editions {
		if e.program != nil && !p.sup.transaction.goesBackTo(e.program) {
			_ = e.program.Close()
		}
	}
}

func (p *pool) slot(i int) *slotBook {
	if p.slots[i] == nil {
		p.slots[i] = &slotBook{}
	}
	return p.slots[i]
}

func (p *pool) label(slot int) string { return fmt.Sprintf("%s.%d", p.name, slot) }

// of starts the fields of a log line about a worker.
func (p *pool) of(e *zerolog.Event, rec *record) *zerolog.Event {
	e = e.Int(keySlot, rec.ref.Slot).Int(keyWorkerID, rec.id).Uint64(keyGeneration, rec.generation)
	if rec.proc != nil {
		e = e.Int(keyPID, rec.proc.PID())
	}
	return e
}

func describe(v any) string { return fmt.Sprintf("%T%+v", v, v) }

func describeAll(actions []machine.Action) []string {
	all := make([]string, len(actions))
	for i, a := range actions {
		all[i] = describe(a)
	}
	return all
}
