package supervisor

import (
	"fmt"
	"slices"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// edition is what the workers of one generation are made from. The machine goes back to a generation by its number
// alone; that its workers then are what they were before is kept here, down to the executable file.
type edition struct {
	cfg       *plan.Pool
	recipe    *worker.Recipe
	listeners []seat
	program   *worker.Program // nil if it is not kept
	repeats   uint64          // the generation that it differs from in nothing but the program; 0 if it is of its own
}

// seat is a listener under the name that the workers of an edition find it by.
type seat struct {
	Listener
	name string
}

// Name is the edition's own.
func (s seat) Name() string { return s.name }

// newEdition tries the templates with a worker that might be, so that a name that means nothing is found before anything
// starts, and takes hold of the executable. It does I/O.
func (w World) newEdition(cfg *plan.Pool, listeners []seat) (*edition, error) {
	e := &edition{cfg: cfg, listeners: listeners}
	sample := e.sample(1)
	var err error
	if e.recipe, err = worker.NewRecipe(cfg.Recipe, sample); err != nil {
		return nil, fmt.Errorf("cannot run pool %s: %w", cfg.Name, err)
	}
	return w.reprint(e)
}

// reprint is the same edition with whatever executable is to be found now. It does I/O.
func (w World) reprint(e *edition) (*edition, error) {
	again := *e
	again.program = nil
	if w.Keep == nil {
		return &again, nil
	}
	made, err := e.recipe.Build(e.sample(1))
	if err != nil {
		return nil, fmt.Errorf("cannot run pool %s: %w", e.cfg.Name, err)
	}
	// A program that cannot be found yet is no reason to refuse: its workers will say so one by one.
	again.program, _ = w.Keep(made.Argv, made.Env, made.Dir)
	return &again, nil
}

// sample describes a worker that might be.
func (e *edition) sample(generation uint64) worker.Facts {
	facts := worker.Facts{Pool: e.cfg.Name, Workers: e.cfg.Spec.Workers, WorkerID: e.cfg.Spec.FirstID, Generation: generation}
	fd := firstFD
	for _, l := range e.listeners {
		fact := factOf(l, 0)
		if l.Mode() != listener.PerSlot {
			fact.FD = fd
			fd++
		}
		facts.Listeners = append(facts.Listeners, fact)
	}
	return facts
}

// factOf is a listener as the worker of a slot sees it, without a descriptor.
func factOf(l Listener, slot int) worker.ListenerFact {
	return worker.ListenerFact{Name: l.Name(), FD: -1, Port: l.Port(slot), Datagram: l.Datagram(), Addr: addrOf(l, slot)}
}

// has reports whether the workers of an edition serve a listener.
func (e *edition) has(l Listener) bool {
	return e != nil && slices.ContainsFunc(e.listeners, func(s seat) bool { return s.Listener == l })
}

// edition returns the edition that the pool is to have: the target of a rollout, else the one that is known to be good.
func (p *pool) edition() *edition { return p.editions[p.wanted()] }

// prune forgets the editions that nobody can go back to, and that no worker is of.
func (p *pool) prune() {
	if len(p.editions) < 2 {
		return
	}
	used := map[uint64]bool{p.st.Generation: true, p.st.Rollout.Queued: true}
	if p.st.Rollout.Phase == machine.Rolling {
		used[p.st.Rollout.Target] = true
	}
	for _, rec := range p.workers {
		used[rec.generation] = true
	}
	for generation, e := range p.editions {
		if !used[generation] {
			delete(p.editions, generation)
			p.forget(e.program)
		}
	}
}

// forget lets go of a program, unless another edition has it too, or a reload may go back to it.
func (p *pool) forget(program *worker.Program) {
	if program == nil || p.sup.transaction.goesBackTo(program) {
		return
	}
	for _, e := range p.editions {
		if e.program == program {
			return
		}
	}
	_ = program.Close()
}
