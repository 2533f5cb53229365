package machine

import "time"

// forcedAt is the count of terminations that ends everything at once.
const forcedAt = 4

// term climbs the ladder: the first stops gracefully, the second and third ask again, the fourth kills and exits.
func (s *stepper) term() {
	s.Terms++
	switch {
	case s.Terms >= forcedAt:
		s.killAll()
	case s.Phase == Stopping:
		s.act(StillHere{Terms: s.Terms, Workers: s.Unreaped()})
		if s.Parting == Departs {
			s.part(0)
		}
		for _, ref := range s.refs(func(h Health) bool { return h.Leaving() && h <= Draining }) {
			if w, _ := s.Worker(ref); w.Health != Draining {
				s.terminate(ref, WhyStopping)
				continue
			}
			s.act(Terminate{Ref: ref, Why: WhyStopping})
		}
	default:
		s.stop(s.Spec.StopDelay, false)
	}
}

// stop begins the graceful stop. Workers in service serve on for the delay, in which the world outside learns that the
// pool goes. If its queues are outlived they are then steered away from, else there is no steering away: with everybody
// leaving there is nobody to steer to.
func (s *stepper) stop(delay time.Duration, outlived bool) {
	if s.Phase != Serving {
		return
	}
	if outlived {
		s.Parting = Departs
		s.adoptAll()
	}
	s.Phase = Stopping
	s.forget()
	for _, ref := range s.refs(func(h Health) bool { return h.Active() || h == Settling }) {
		switch w, _ := s.Worker(ref); {
		case w.Health == Waiting:
			s.free(ref)
		case w.Health == Starting:
			s.terminate(ref, WhyStopping)
		case outlived && delay == 0: // see below
		case delay == 0:
			s.terminate(ref, WhyStopping)
		case outlived || w.Health != Settling: // else its time runs already
			s.move(ref, Settling)
		}
	}
	if outlived && delay == 0 {
		s.part(s.Spec.Settle)
	}
}

// forget drops what was still to be done for users: a pool that stops does it no more.
func (s *stepper) forget() {
	s.Owed = nil
	s.endDumps()
	s.endRecycling()
	if s.Rollout.Phase == Rolling {
		s.act(RolloutEnded{Target: s.Rollout.Target, Cause: StopCame})
		s.endTurn()
	} else {
		s.dropQueued(s.Rollout.Queued, StopCame)
	}
	s.Rollout = Rollout{Target: s.Rollout.Target}
}

// leave ends a graceful stop when the last process is reaped, and a pool whose work is done. It comes last in a step:
// nothing follows an Exit.
func (s *stepper) leave() {
	if s.Phase == Serving && s.done() {
		s.forget()
		s.Phase, s.ExitCode = Stopping, s.verdict()
	}
	if s.Phase == Stopping && s.Unreaped() == 0 {
		s.Phase = Exited
		s.act(Exit{Code: s.ExitCode})
	}
}

// killAll ends everything in this very step, whoever is left.
func (s *stepper) killAll() {
	for _, ref := range s.refs(func(h Health) bool { return h == Waiting || h.HasProcess() }) {
		w, _ := s.Worker(ref)
		if w.Health == Waiting {
			s.free(ref)
			continue
		}
		if w.Health != Killed {
			s.move(ref, Killed)
		}
		s.act(Kill{Ref: ref})
	}
	s.forget()
	s.Phase = Exited
	s.act(Exit{Code: 1})
}
