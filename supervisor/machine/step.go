package machine

import "slices"

// New is the state of a pool that is about to start, and the actions that start it. The generation is 1.
func New(spec Spec) (State, []Action) {
	st := State{Spec: spec, Generation: 1, Rollout: Rollout{Target: 1}}
	s := stepper{State: st}
	s.addSlots(spec.Workers)
	s.reconcile()
	s.tidy()
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
	s.Due = slices.Clone(st.Due)
	s.Held = slices.Clone(st.Held)
	s.apply(ev)
	s.reconcile()
	s.tidy()
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

	wants      [rights]int // claims without which somebody cannot start, in this pass
	successors int         // of those who want a worker id, the ones whose slots have somebody
}

func (s *stepper) act(a Action) { s.acts = append(s.acts, a) }

func (s *stepper) apply(ev Event) {
	switch e := ev.(type) {
	case BecameReady:
		s.becameReady(e.Ref)
	case BecameUnready:
		s.becameUnready(e.Ref)
	case Failed:
		s.fails(e)
	case RecycleDue:
		s.recycleDue(e.Ref)
	case LeavesByItself:
		s.leavesByItself(e.Ref)
	case Died:
		s.died(e)
	case Gone:
		s.gone(e.Ref)
	case TimerFired:
		s.timerFired(e.Timer)
	case Claimed:
		s.claimed(e)
		s.beginQueued()
	case Lapses:
		s.lapses(e.Claim)
	case Lost:
		s.lost(e.Claim)
	case RollRequested:
		s.roll()
	case ReloadRequested:
		s.reload(e.Safe)
	case DumpRequested:
		s.dump()
	case ScaleRequested:
		s.scale(e.Workers)
	case SpecChanged:
		s.change(e)
	case AbortRequested:
		s.cancel()
	case TermReceived:
		s.term()
	case StopRequested:
		s.stop(s.Spec.StopDelay, e.Outlived)
	case KillRequested:
		s.killAll()
	default:
		panic("machine: unknown event")
	}
}

func (s *stepper) becameReady(ref Ref) {
	switch w, ok := s.Worker(ref); {
	case !ok:
	case w.Health == Unready || w.Health == Failing:
		s.move(ref, Ready)
	case w.Health != Starting:
	default:
		s.Slots[ref.Slot].Repairing = false
		if s.proof(w) > 0 {
			s.move(ref, Proving)
			return
		}
		s.proved(ref)
	}
}

// leavesByItself takes a worker out of service that says that it is stopping. One that was never ready has failed: its
// slot, or the rollout that it belongs to, must not wait for it. So has one that has not proved itself; but where a clean
// exit is the end of the work, it is not known yet.
func (s *stepper) leavesByItself(ref Ref) {
	switch w, ok := s.Worker(ref); {
	case !ok:
	case w.Health == Starting:
		s.terminate(ref, WhyNeverReady)
		s.failed(ref, w, SuccessorDied)
	case w.Health.Up() || w.Health == Settling:
		s.move(ref, Retiring)
		if w.Health == Proving && s.Spec.Restart == RestartAlways {
			s.failed(ref, w, SuccessorDied)
		}
	}
}

func (s *stepper) timerFired(t Timer) {
	switch t.Kind { //nolint:exhaustive // the others belong to workers
	case DumpTimer:
		s.nextDump(t.Ref)
		return
	case RecycleTimer:
		s.rested(t.Ref)
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
		if s.Spec.ReadyTimeout == 0 {
			return // late: there is no such time any more
		}
		s.terminate(t.Ref, WhyNeverReady)
		s.failed(t.Ref, w, SuccessorLate)
	case Proving:
		s.proved(t.Ref)
	case Settling:
		if s.Parting == Departs {
			s.part(s.Spec.Settle)
			return
		}
		s.terminate(t.Ref, s.whyLeaving(t.Ref))
	case Retiring, Draining:
		s.move(t.Ref, Killed)
		s.act(Kill{Ref: t.Ref})
		if w.Health == Retiring && s.Phase == Serving && s.Spec.Restart != RestartAlways {
			s.failed(t.Ref, w, SuccessorDied) // it was waited for, and has not ended well
		}
	case Tracing:
		s.move(t.Ref, Reaping)
		s.act(Kill{Ref: t.Ref})
	case Reaping:
		s.move(t.Ref, Killed)
	case Free, Finished, Ready, Unready, Failing, Killed: // have no timer
	}
}
