package machine

import "slices"

// Right is what somebody has who holds a claim.
type Right uint8

// The rights that are claimed.
const (
	ToID   Right = iota // to give a worker id to a worker
	ToLead              // to have the leader of the pool
	ToRoll              // to replace workers by a rollout, in turn with other supervisors
	rights              // how many there are
)

// Claim is something that one supervisor has, of all those that share it.
type Claim struct {
	Right Right
	ID    int    // with ToID
	Fence uint64 // larger than that of every earlier claim of the same thing
}

// Holding is a claim that the pool has.
type Holding struct {
	Claim
	Lapsing bool // it will be lost: nobody starts with it any more
}

// askFor asks for as many claims as are wanted. What is not wanted of the leader any more is taken back at once, and of
// worker ids when all decisions are made: another pass may want them.
func (s *stepper) askFor(right Right) {
	if !s.Spec.Claims {
		return
	}
	if right == ToLead && s.wants[right] == 0 {
		s.withdraw(right, 0)
	}
	if n := s.wants[right] - s.Asked[right]; n > 0 {
		s.Asked[right] += n
		s.act(Ask{Right: right, Count: n})
	}
}

// withdraw takes back what was asked for and is not wanted any more.
func (s *stepper) withdraw(right Right, wanted int) {
	if n := s.Asked[right] - wanted; n > 0 {
		s.Asked[right] = wanted
		s.act(Unask{Right: right, Count: n})
	}
}

// claimed takes in a claim that came. What is not needed any more goes back at the end of the step.
func (s *stepper) claimed(e Claimed) {
	if !s.Spec.Claims || s.holding(e.Claim) >= 0 {
		return
	}
	if !e.Again {
		s.Asked[e.Claim.Right] = max(0, s.Asked[e.Claim.Right]-1)
	}
	at, _ := slices.BinarySearchFunc(s.Held, e.Claim, func(h Holding, c Claim) int { return h.compare(c) })
	s.Held = slices.Insert(s.Held, at, Holding{Claim: e.Claim})
}

func (c Claim) compare(o Claim) int {
	if c.Right != o.Right {
		return int(c.Right) - int(o.Right)
	}
	return c.ID - o.ID
}

// holding finds a claim among those that are held, -1 if it is not: news of an earlier one of the same id is late.
func (s *State) holding(c Claim) int {
	return slices.IndexFunc(s.Held, func(h Holding) bool { return h.Claim == c })
}

// lapses stops who uses a claim that will be lost, as long as there is time for it.
func (s *stepper) lapses(c Claim) {
	at := s.holding(c)
	if at < 0 {
		return
	}
	ref, used := s.user(c)
	if used && s.keepsOn(c) {
		return
	}
	s.Held[at].Lapsing = true
	if w, _ := s.Worker(ref); used && w.Health < Draining {
		s.terminate(ref, WhyLapsing)
	}
}

// lost ends who uses a claim that others may have next. Who keeps what it has goes on without it.
func (s *stepper) lost(c Claim) {
	at := s.holding(c)
	if at < 0 {
		return
	}
	ref, used := s.user(c)
	s.Held = slices.Delete(s.Held, at, at+1)
	if w, _ := s.Worker(ref); used && !s.keepsOn(c) && w.Health != Reaping && w.Health != Killed {
		s.move(ref, Killed)
		s.act(Kill{Ref: ref})
	}
}

// keepsOn reports whether the user of a claim outlives it. There is one leader, whatever happens.
func (s *stepper) keepsOn(c Claim) bool { return c.Right == ToID && s.Spec.KeepIDs }

// Uses reports whether a worker, as long as it has a process, has what a claim gives the right to.
func (w Worker) Uses(c Claim) bool {
	return c.Right == ToID && w.ID == c.ID || c.Right == ToLead && w.Lead == c.Fence
}

// user is the unreaped worker that has what a claim gives the right to.
func (s *State) user(c Claim) (Ref, bool) {
	for i := range s.Slots {
		for side := A; side <= B; side++ {
			w := s.Slots[i].Workers[side]
			if w.Health.HasProcess() && w.Uses(c) {
				return s.ref(i, side), true
			}
		}
	}
	return Ref{}, false
}

// tidy gives back what is not needed any more, and takes back what was asked for in vain. It comes when all decisions of a
// step are made, and never gives back what an unreaped worker has.
func (s *stepper) tidy() {
	if !s.Spec.Claims || s.Phase == Exited {
		return
	}
	s.wantTurn()
	if s.Phase != Serving {
		s.wants, s.successors = [rights]int{}, 0
	}
	for right := range rights {
		s.withdraw(right, s.wants[right])
	}
	spare, turns := s.toKeep(), 0
	if s.needsTurn() {
		turns = 1
	}
	s.Held = slices.DeleteFunc(s.Held, func(h Holding) bool {
		if _, used := s.user(h.Claim); used {
			return false
		}
		if h.Right == ToID && s.isUsable(h) && spare > 0 {
			spare--
			return false
		}
		if h.Right == ToRoll && !h.Lapsing && turns > 0 {
			turns--
			return false
		}
		s.act(Release{Claim: h.Claim})
		return true
	})
	s.askFor(ToRoll)
}

// toKeep counts the worker ids that are to be had beside those in use: for slots that have no process, and for successors
// that wait.
func (s *stepper) toKeep() int {
	if s.Phase != Serving {
		return 0
	}
	s.recount()
	room := s.census()
	return max(0, min(room.deserted+s.successors, s.limit()-room.unreaped))
}

// isUsable reports whether somebody may start with a worker id that is held.
func (s *State) isUsable(h Holding) bool {
	return h.Right == ToID && !h.Lapsing && h.ID >= s.Spec.FirstID && h.ID <= s.Spec.LastID
}

// leadership is the claim to have the leader, if it is held.
func (s *State) leadership() (Claim, bool) {
	n := slices.IndexFunc(s.Held, func(h Holding) bool { return h.Right == ToLead && !h.Lapsing })
	if n < 0 {
		return Claim{}, false
	}
	return s.Held[n].Claim, true
}

// StandsBy reports whether a slot is that of a leader which somebody else has: nobody is missing there.
func (s *State) StandsBy(slot int) bool {
	return s.Spec.Claims && s.Spec.Leads(slot) && s.Asked[ToLead] > 0 && s.Slots[slot].empty()
}

// StandingBy counts the slots that stand by.
func (s *State) StandingBy() int {
	if len(s.Slots) > leaderSlot && s.StandsBy(leaderSlot) {
		return 1
	}
	return 0
}

// claims reports whether a worker can start in a slot: there is a worker id for it, and what else it needs a claim to. What
// is missing is wanted. Slots that have nobody come first.
func (s *stepper) claims(slot int) bool {
	deserted := !s.Slots[slot].hasProcess()
	if hasID := s.census().hasID(deserted); !hasID || !s.Spec.Claims {
		s.wants[ToID]++
		if !deserted {
			s.successors++
		}
		return hasID
	}
	if _, leads := s.leadership(); s.Spec.Leads(slot) && !leads {
		s.wants[ToLead]++
		s.census().occupied++ // it starts as soon as the leader can be had, with the worker id that it has by then
		s.census().take(deserted)
		return false
	}
	return true
}

// yield gives the leader up when its worker is reaped, so that others can have it at once.
func (s *stepper) yield(w Worker) {
	lead, ok := s.leadership()
	if ok && w.Health.HasProcess() && w.Lead == lead.Fence {
		s.Held = slices.DeleteFunc(s.Held, func(h Holding) bool { return h.Claim == lead })
		s.act(Release{Claim: lead})
	}
}
