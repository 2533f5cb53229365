package progress

import "github.com/broodctl/brood/supervisor"

// goal is the generation that a pool's slots are to have.
func goal(p *supervisor.PoolView) uint64 {
	if p.Rollout != nil && p.Rollout.State == rolloutRolling {
		return p.Rollout.Generation
	}
	return p.Generation
}

// underWay reports whether a rollout is going on, forth or back.
func underWay(p *supervisor.PoolView) bool {
	return p.Rollout != nil && (p.Rollout.State == rolloutRolling || p.Rollout.State == rolloutReverting)
}

// full reports whether every slot has a ready worker, but for those whose leader another supervisor has.
func full(p *supervisor.PoolView) bool { return p.Ready+p.StandsBy >= p.Desired }

// done counts the wanted slots whose serving worker has the generation that is wanted.
func done(p *supervisor.PoolView) int {
	n, last := 0, -1
	for i := range p.Workers { // in the order of the slots
		if w := &p.Workers[i]; w.Slot != last && w.Slot < p.Desired && serves(w) && w.Generation == goal(p) {
			n, last = n+1, w.Slot
		}
	}
	return n
}

// serves reports whether a worker does what it is for, or has done it.
func serves(w *supervisor.WorkerView) bool {
	return w.Ready || w.State == stateFinished
}

// slot is one place of a pool with the workers that hold it.
type slot struct {
	index     int
	successor *supervisor.WorkerView // the one that is to stay, or the only one; nil if there is none
	incumbent *supervisor.WorkerView // the other, which goes; nil if there is none
}

// slots puts the workers into their slots. A slot that is wanted and has no worker is there as well.
func slots(p *supervisor.PoolView) []slot {
	var all []slot
	for i := range p.Workers {
		w := &p.Workers[i]
		for len(all) <= w.Slot && len(all) < p.Desired {
			all = append(all, slot{index: len(all)})
		}
		if len(all) == 0 || all[len(all)-1].index < w.Slot { // more than is wanted
			all = append(all, slot{index: w.Slot})
		}
		all[len(all)-1].put(w, goal(p))
	}
	for len(all) < p.Desired {
		all = append(all, slot{index: len(all)})
	}
	return all
}

// put adds a worker. Of two the one stays that is not leaving, and of the generation that is wanted.
func (s *slot) put(w *supervisor.WorkerView, goal uint64) {
	switch first := s.successor; {
	case first == nil:
		s.successor = w
	case leaving(w.State), !leaving(first.State) && w.Generation != goal:
		s.incumbent = w
	default:
		s.incumbent, s.successor = first, w
	}
}
