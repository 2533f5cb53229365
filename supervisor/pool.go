package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/machine"
)

// pool is one pool at work: the machine's state, and the world's side of each of its workers. Only the loop uses it.
type pool struct {
	sup     *Supervisor
	cfg     PoolConfig
	log     zerolog.Logger
	st      machine.State
	workers map[machine.Ref]*record
	slots   map[int]*slotBook
	timers  map[machine.Timer]timer
	serial  uint64          // counts the timers
	next    []machine.Event // what performing found out on the spot
	waiting []waiter        // for the end of a rollout
	last    *RolloutView
	relays  relays          // of the request at hand
	dead    []*record       // whose places may not be free yet
	steerTo []machine.Place // not done yet; nil if it is
	code    int             // what the pool exited with
}

// slotBook is what a slot remembers of the workers it had.
type slotBook struct {
	restarts int
	lastExit string
}

func newPool(s *Supervisor, cfg PoolConfig) *pool {
	return &pool{
		sup:     s,
		cfg:     cfg,
		log:     s.log.With().Str(keyPool, cfg.Name).Logger(),
		st:      machine.State{Spec: cfg.Spec, Generation: 1},
		workers: map[machine.Ref]*record{},
		slots:   map[int]*slotBook{},
		timers:  map[machine.Timer]timer{},
	}
}

// begin starts the workers.
func (p *pool) begin() {
	st, actions := machine.New(p.cfg.Spec)
	p.st = st
	p.perform(actions)
}

// timer is one that runs. The serial tells it from an earlier one of the same key, whose end may be on its way.
type timer struct {
	*time.Timer
	serial uint64
}

// step tells the machine what happened and performs what it decides. What performing finds out on the spot follows
// when all of it has been done: actions of two steps must not mix.
func (p *pool) step(ev machine.Event) {
	for p.next = append(p.next, ev); len(p.next) > 0; p.next = p.next[1:] {
		st, actions := machine.Step(p.st, p.next[0])
		p.st = st
		if e := p.log.Debug(); e.Enabled() {
			e.Str(keyEvent, describe(p.next[0])).Strs(keyActions, describeAll(actions)).Msg("step")
		}
		p.perform(actions)
	}
	p.next = nil
	p.sweep()
}

// sweep forgets the workers whose places the machine has freed.
func (p *pool) sweep() {
	p.dead = slices.DeleteFunc(p.dead, func(rec *record) bool {
		if _, ok := p.st.Worker(rec.ref); ok {
			return false // others of its group live
		}
		rec.release()
		delete(p.workers, rec.ref)
		return true
	})
}

// close ends what the pool still holds; after a forced exit workers may be among it.
func (p *pool) close() {
	for _, t := range p.timers {
		t.Stop()
	}
	for _, rec := range p.workers {
		rec.release()
	}
	p.settle(func(waiter) bool { return true }, Verdict{Err: ErrStopped})
}

func (p *pool) slot(i int) *slotBook {
	if p.slots[i] == nil {
		p.slots[i] = &slotBook{}
	}
	return p.slots[i]
}

func (p *pool) label(slot int) string { return fmt.Sprintf("%s.%d", p.cfg.Name, slot) }

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
