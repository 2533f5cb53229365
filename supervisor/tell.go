package supervisor

import (
	"os"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/machine"
)

// Events is the feed of everything that changes.
func (s *Supervisor) Events() *events.Feed { return s.feed }

// tell adds an event about the pool.
func (p *pool) tell(e events.Event) {
	e.Pool = p.name
	p.sup.feed.Add(e)
}

// eventOf begins an event about a worker.
func eventOf(kind events.Kind, rec *record) events.Event {
	e := events.Event{Kind: kind, Slot: new(rec.ref.Slot), WorkerID: new(rec.id), Generation: rec.generation}
	if rec.proc != nil {
		e.PID = rec.proc.PID()
	}
	return e
}

// tellMoves tells of all workers whose health is another one after a step.
func (p *pool) tellMoves(before *machine.State) {
	for i := range max(len(before.Slots), len(p.st.Slots)) {
		var was, is machine.Slot
		if i < len(before.Slots) {
			was = before.Slots[i]
		}
		if i < len(p.st.Slots) {
			is = p.st.Slots[i]
		}
		side := machine.A
		if is.Workers[machine.B].Inc > is.Workers[machine.A].Inc {
			side = machine.B // what the newer worker does is why the other one leaves
		}
		for range 2 {
			if was.Workers[side] != is.Workers[side] {
				p.tellMove(i, side, was.Workers[side], is.Workers[side])
			}
			side = side.Other()
		}
	}
	if before.Spec.Workers != p.st.Spec.Workers {
		p.tell(events.Event{Kind: events.Scale, Workers: p.st.Spec.Workers, Before: before.Spec.Workers, Reason: p.scaledFor})
	}
	if before.Rollout.Phase != machine.Reverting && p.st.Rollout.Phase == machine.Reverting {
		p.tell(events.Event{Kind: events.Rollout, Generation: p.st.Rollout.Target, State: machine.Reverting.String()})
	}
}

// tellMove tells how a place changed: the worker there moved, or is gone, or another one came.
func (p *pool) tellMove(slot int, side machine.Side, was, is machine.Worker) {
	if was.Inc == is.Inc {
		if was.Health != is.Health {
			p.tellWorker(machine.Ref{Slot: slot, Side: side, Inc: is.Inc}, was.Health, is.Health)
		}
		return
	}
	if was.Health.HasProcess() {
		p.tellWorker(machine.Ref{Slot: slot, Side: side, Inc: was.Inc}, was.Health, machine.Free)
	}
	if is.Health != machine.Free {
		p.tellWorker(machine.Ref{Slot: slot, Side: side, Inc: is.Inc}, machine.Free, is.Health)
	}
}

func (p *pool) tellWorker(ref machine.Ref, was, is machine.Health) {
	if is == machine.Starting {
		return // there is no process yet; see tellStarted
	}
	e := events.Event{Kind: events.Worker, Slot: new(ref.Slot)}
	if rec := p.workers[ref]; rec != nil {
		e = eventOf(events.Worker, rec)
		e.Reason = rec.wellness()
		if rec.asked {
			e.Reason = rec.why.String()
		}
	}
	if e.State = is.String(); is == machine.Free {
		e.State = events.Gone
	}
	if was != machine.Free {
		e.From = was.String()
	}
	p.tell(e)
}

// tellStarted tells of a worker that has a process now.
func (p *pool) tellStarted(rec *record) {
	e := eventOf(events.Worker, rec)
	e.State = machine.Starting.String()
	p.tell(e)
}

// tellDeath tells what the obituary says.
func (p *pool) tellDeath(rec *record, a machine.Obituary) {
	e := eventOf(events.Death, rec)
	cause := rec.cause()
	e.Cause, e.Exit, e.Detail = string(cause), rec.ending(), rec.fault.detail
	e.Age = new(rec.age().Round(time.Millisecond).Seconds())
	if cause.isFailure() {
		e.Lines = rec.tail()
	}
	if rec.probe != nil && rec.readyAt.IsZero() {
		e.Reason = rec.probe.Error()
	}
	if e.Next = a.Next.String(); a.Next == machine.RestartLater {
		e.After = a.After.Seconds()
	}
	p.tell(e)
}

// tellRollout tells how far a rollout is.
func (p *pool) tellRollout(v *RolloutView, lines []string) {
	p.tell(events.Event{Kind: events.Rollout, Generation: v.Generation, State: v.State, Reason: v.Reason, Lines: lines})
}

// tellRepair tells what had to be put back of a socket; rec is nil if nobody knows whose it was.
func (p *pool) tellRepair(rec *record, name string, what listener.Repair) {
	e := events.Event{Kind: events.Repair}
	if rec != nil {
		e = eventOf(events.Repair, rec)
	}
	e.Listener, e.Detail = name, what.String()
	p.tell(e)
}

// tellReload tells how far the reload is.
func (s *Supervisor) tellReload() {
	v := s.config.Reload
	s.feed.Add(events.Event{Kind: events.Reload, State: v.State, Reason: v.Error, Lines: v.Lines})
}

func (s *Supervisor) tellRequest(req Request) {
	e := events.Event{
		Kind: events.Request, Verb: string(req.Verb), Pool: req.Pool, Slot: req.Slot, Detail: req.particulars(), PID: req.PID, From: req.From,
	}
	if req.Signal != 0 {
		e.Signal = signalName(req.Signal)
	}
	if req.UID != Nobody {
		e.UID = new(req.UID)
	}
	s.feed.Add(e)
}

func (s *Supervisor) tellSignal(sig os.Signal) {
	s.feed.Add(events.Event{Kind: events.Signal, Signal: nameOf(sig)})
}

// tellStates tells what is another in the newer one of two snapshots: of the supervisor, and of each pool.
func (s *Supervisor) tellStates(before, now *Snapshot) {
	was := map[string]*PoolView{}
	if before != nil {
		for i := range before.Pools {
			was[before.Pools[i].Name] = &before.Pools[i]
		}
	}
	for i := range now.Pools {
		p := &now.Pools[i]
		old := was[p.Name]
		delete(was, p.Name)
		if old == nil || old.word() != p.word() {
			e := events.Event{Kind: events.Pool, Pool: p.Name, State: p.word()}
			if old != nil {
				e.From = old.word()
			}
			s.feed.Add(e)
		}
	}
	for name, old := range was {
		s.feed.Add(events.Event{Kind: events.Pool, Pool: name, State: events.Gone, From: old.word()})
	}
	if before == nil || before.State != now.State {
		e := events.Event{Kind: events.State, State: now.State}
		if before != nil {
			e.From = before.State
		}
		s.feed.Add(e)
	}
}

// word is the state of the pool while it serves, else its phase.
func (p *PoolView) word() string {
	if p.Phase == machine.Serving.String() {
		return p.State
	}
	return p.Phase
}
