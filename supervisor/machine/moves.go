package machine

import "time"

// Diagram lists the allowed moves of health. docs/states.md is drawn from it, and I8 is checked against it.
func Diagram() map[Health][]Health {
	return map[Health][]Health{
		Free:     {Waiting, Starting},
		Waiting:  {Starting, Free},
		Finished: {Free},
		Starting: {Proving, Ready, Draining, Killed, Finished, Free},
		Proving:  {Ready, Unready, Failing, Settling, Retiring, Draining, Killed, Finished, Free},
		Ready:    {Unready, Failing, Settling, Retiring, Draining, Killed, Finished, Free},
		Unready:  {Ready, Failing, Settling, Retiring, Draining, Killed, Finished, Free},
		Failing:  {Ready, Unready, Settling, Retiring, Draining, Tracing, Reaping, Killed, Finished, Free},
		Settling: {Ready, Retiring, Draining, Killed, Free},
		Retiring: {Draining, Killed, Finished, Free},
		Draining: {Killed, Finished, Free},
		Tracing:  {Reaping, Killed, Finished, Free},
		Reaping:  {Killed, Finished, Free},
		Killed:   {Finished, Free},
	}
}

// reapTime is far more than the kernel needs to end a process that was killed, unless that waits for a disk or a file system
// which does not answer. Connections that wait at its place are then relayed.
const reapTime = time.Second

// timerOf names the timer that goes with a health.
func timerOf(h Health) (TimerKind, bool) {
	switch h {
	case Waiting:
		return BackoffTimer, true
	case Starting:
		return ReadyTimer, true
	case Proving:
		return ProvingTimer, true
	case Settling:
		return SettleTimer, true
	case Retiring, Draining:
		return GraceTimer, true
	case Tracing:
		return TraceTimer, true
	case Reaping:
		return ReapTimer, true
	case Free, Finished, Ready, Unready, Failing, Killed:
	}
	return 0, false
}

// move changes a worker's health, and its timer with it: a timer never outlives the health it was set for. Only the
// grace of a worker that leaves by itself runs on when it is told to leave: nobody gets two.
func (s *stepper) move(ref Ref, to Health) {
	w := &s.Slots[ref.Slot].Workers[ref.Side]
	from := w.Health
	w.Health = to
	if from == Retiring && to == Draining {
		return
	}
	s.dropTimer(ref, from)
	kind, has := timerOf(to)
	if !has {
		return
	}
	var after time.Duration
	switch kind {
	case BackoffTimer:
		after = s.Spec.Backoff.delay(s.Slots[ref.Slot].Failures, ref.Inc)
	case ReadyTimer:
		after = s.Spec.ReadyTimeout
	case ProvingTimer:
		after = s.proof(s.Slots[ref.Slot].Workers[ref.Side])
	case SettleTimer:
		after = s.settleTime()
	case GraceTimer:
		after = s.Spec.Grace
	case TraceTimer:
		after = s.Spec.Trace
	case ReapTimer:
		after = reapTime
	case DumpTimer, RecycleTimer:
	}
	if kind == ReadyTimer && after == 0 {
		return // it may take for ever
	}
	s.act(SetTimer{Timer: Timer{Kind: kind, Ref: ref}, After: after})
}

// settleTime is how long who settles has.
func (s *stepper) settleTime() time.Duration {
	switch {
	case s.Parting == Parted:
		return s.Spec.Settle
	case s.Phase == Stopping:
		return s.Spec.StopDelay
	default:
		return s.Spec.settle()
	}
}

// dropTimer stops the timer of a health, also if it is the one that has just ended: the news of an earlier one of the
// same key may have been late, and this one still running.
func (s *stepper) dropTimer(ref Ref, health Health) {
	if kind, has := timerOf(health); has && (kind != ReadyTimer || s.Spec.ReadyTimeout > 0) {
		s.act(StopTimer{Timer: Timer{Kind: kind, Ref: ref}})
	}
}

// free empties a place, or keeps it as finished if nobody is to come after its worker. The worker id may be given away
// from here on, so this is for the reaped alone.
func (s *stepper) free(ref Ref) {
	slot := &s.Slots[ref.Slot]
	w := &slot.Workers[ref.Side]
	if slot.outdates(*w) {
		s.recycled(ref)
	}
	s.yield(*w)
	if s.Phase == Serving && slot.isOver(*w) {
		s.move(ref, Finished)
		return
	}
	s.dropTimer(ref, w.Health)
	*w = Worker{}
}

// spawn starts a worker at a place that waits, or is free and was given an incarnation.
func (s *stepper) spawn(ref Ref) {
	room := s.census()
	slot := &s.Slots[ref.Slot]
	overlaps := s.Spec.orderAt(ref.Slot) == StopFirst && slot.Workers[ref.Side.Other()].Health.HasProcess()
	if room.unreaped >= s.limit() || overlaps || !s.claims(ref.Slot) {
		slot.Rested = s.Spec.Claims
		s.free(ref) // reconcile tries again when there is room
		return
	}
	room.unreaped++
	slot.Rested = false
	w := &slot.Workers[ref.Side]
	w.Generation = slot.Generation
	w.ID, w.Fence = room.take(!slot.hasProcess())
	if lead, ok := s.leadership(); ok && s.Spec.Leads(ref.Slot) {
		w.Lead = lead.Fence
	}
	s.move(ref, Starting)
	s.act(Start{Ref: ref, ID: w.ID, Generation: w.Generation, Fence: w.Fence, Lead: w.Lead})
}

// terminate tells a worker to leave, with its grace running.
func (s *stepper) terminate(ref Ref, why Why) {
	s.move(ref, Draining)
	s.act(Terminate{Ref: ref, Why: why})
}

// retire takes a worker out of service: a ready one is steered away from first, so that what it accepted is read.
func (s *stepper) retire(ref Ref) {
	w, _ := s.Worker(ref)
	switch {
	case w.Health == Waiting:
		s.free(ref)
	case w.Health.Up() && s.Spec.settle() > 0:
		s.move(ref, Settling)
	default:
		s.terminate(ref, s.whyLeaving(ref))
	}
}

func (s *stepper) whyLeaving(ref Ref) Why {
	switch {
	case s.Phase == Stopping:
		return WhyStopping
	case ref.Slot >= s.Spec.Workers:
		return WhyScaled
	case s.Slots[ref.Slot].Outdated == ref.Inc:
		return WhyRecycled
	case s.Rollout.Phase == Reverting:
		return WhyAborted
	default:
		return WhyReplaced
	}
}

func (s *State) ref(slot int, side Side) Ref {
	return Ref{Slot: slot, Side: side, Inc: s.Slots[slot].Workers[side].Inc}
}

// refs lists the workers whose health is as asked, by slot and side.
func (s *State) refs(is func(Health) bool) []Ref {
	var refs []Ref
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			if is(s.Slots[i].Workers[side].Health) {
				refs = append(refs, s.ref(i, side))
			}
		}
	}
	return refs
}
