package machine

import "slices"

// New is the state of a pool that is about to start, and the actions that start it. The generation is 1.
func New(spec Spec) (State, []Action) {
	st := State{Spec: spec, Generation: 1, Rollout: Rollout{Target: 1}}
	s := stepper{State: st}
	s.addSlots(spec.Workers)
	s.reconcile()
	s.derive(&st)
	return s.State, s.acts
}

// Step applies one event. It is total, never changes the state it is given, and shares no memory with it.
func Step(st State, ev Event) (State, []Action) {
	if st.Phase == Exited {
		return st, nil
	}
	s := stepper{State: st}
	s.Slots = slices.Clone(st.Slots)
	s.Dumps = slices.Clone(st.Dumps)
	s.Owed = slices.Clone(st.Owed)
	s.apply(ev)
	s.reconcile()
	s.bury()
	s.derive(&st)
	s.leave()
	return s.State, s.acts
}

// stepper is one step in the making: a state that may be changed, and the actions so far.
type stepper struct {
	State
	acts []Action
	dead []Ref // who died in this step, for the obituaries
	room *room // counted when first needed
}

func (s *stepper) act(a Action) { s.acts = append(s.acts, a) }

func (s *stepper) apply(ev Event) {
	switch e := ev.(type) {
	case BecameReady:
		s.becameReady(e.Ref)
	case LeavesByItself:
		s.leavesByItself(e.Ref)
	case Died:
		s.died(e)
	case Gone:
		s.gone(e.Ref)
	case TimerFired:
		s.timerFired(e.Timer)
	case RollRequested:
		s.roll()
	case ReloadRequested:
		s.reload(e.Safe)
	case DumpRequested:
		s.dump()
	case ScaleRequested:
		s.scale(e.Workers)
	case SpecChanged:
	case AbortRequested:
	case TermReceived:
		s.term()
	case StopRequested:
		s.stop()
	case KillRequested:
		s.killAll()
	default:
		panic("machine: unknown event")
	}
}

func (s *stepper) becameReady(ref Ref) {
	w, ok := s.Worker(ref)
	if !ok || w.Health != Starting {
		return
	}
	s.move(ref, Ready)
}

// leavesByItself takes a worker out of service that says that it is stopping. One that was never ready has failed: its
// slot, or the rollout that it belongs to, must not wait for it.
func (s *stepper) leavesByItself(ref Ref) {
	switch w, ok := s.Worker(ref); {
	case !ok:
	case w.Health == Starting:
		s.terminate(ref, WhyNeverReady)
		s.failed(ref, w, SuccessorDied)
	case w.Health == Ready || w.Health == Settling:
		s.move(ref, Retiring)
	}
}

func (s *stepper) died(e Died) {
	w, ok := s.Worker(e.Ref)
	if !ok || !w.Health.HasProcess() {
		return
	}
	s.dead = append(s.dead, e.Ref)
	switch {
	case !e.Remains:
		s.free(e.Ref)
	case w.Health != Draining && w.Health != Killed:
		s.move(e.Ref, Draining)
		s.act(TerminateRemains{Ref: e.Ref})
	case w.Health == Draining && e.Untold:
		s.act(TerminateRemains{Ref: e.Ref})
	}
	s.judge(e, w)
}

// judge says what a death means for the slot and for the rollout.
func (s *stepper) judge(e Died, w Worker) {
	if w.Health == Draining || w.Health == Killed || s.Phase != Serving {
		return // it was told to leave
	}
	wasReady := w.Health != Starting
	if slot := &s.Slots[e.Ref.Slot]; wasReady && e.Age >= s.Spec.Backoff.StableAfter && w.Generation == slot.Generation {
		slot.Failures = 0
	}
	if wasReady && e.Clean && e.Age >= s.Spec.Backoff.RecycleAge {
		return // programs that recycle themselves end with success
	}
	s.failed(e.Ref, w, SuccessorDied)
}

// failed charges a failure: to the rollout if it is one of its successors, else to the slot. What another generation
// did says nothing about the one that the slot is to run.
func (s *stepper) failed(ref Ref, w Worker, cause RolloutCause) {
	if ref.Slot >= s.Spec.Workers {
		return
	}
	if s.Rollout.Phase == Rolling && w.Generation == s.Rollout.Target {
		s.abort(cause, ref)
		return
	}
	slot := &s.Slots[ref.Slot]
	if w.Generation != slot.Generation {
		return
	}
	slot.Failures++
	if limit := s.Spec.Backoff.GiveUpAfter; limit > 0 && slot.Failures >= limit {
		s.act(GaveUp{Slot: ref.Slot, Failures: slot.Failures})
		s.ExitCode = 1
		s.stop()
	}
}

func (s *stepper) gone(ref Ref) {
	if w, ok := s.Worker(ref); ok && w.Health.HasProcess() {
		s.free(ref)
	}
}

func (s *stepper) timerFired(t Timer) {
	if t.Kind == DumpTimer {
		s.nextDump(t.Ref)
		return
	}
	w, ok := s.Worker(t.Ref)
	if kind, has := timerOf(w.Health); !ok || !has || kind != t.Kind {
		return
	}
	switch w.Health {
	case Waiting:
		s.spawn(t.Ref)
	case Starting:
		s.terminate(t.Ref, WhyNeverReady)
		s.failed(t.Ref, w, SuccessorLate)
	case Settling:
		s.terminate(t.Ref, s.whyLeaving(t.Ref))
	case Retiring, Draining:
		s.move(t.Ref, Killed)
		s.act(Kill{Ref: t.Ref})
	case Free, Ready, Killed: // have no timer
	}
}

// scale changes how many slots are wanted. A number that the pool cannot have, for want of worker ids, changes nothing.
func (s *stepper) scale(workers int) {
	before := s.Spec.Workers
	wanted := s.Spec
	wanted.Workers = workers
	if s.Phase != Serving || workers == before || wanted.Validate() != nil {
		return
	}
	s.Spec = wanted
	s.addSlots(workers)
	for i := before; i < workers; i++ {
		s.Slots[i].Generation, s.Slots[i].Failures = s.Generation, 0
	}
}

func (s *stepper) addSlots(n int) {
	for len(s.Slots) < n {
		s.Slots = append(s.Slots, Slot{Generation: s.Generation})
	}
}
