package supervisor

import (
	"errors"
	"slices"

	"github.com/broodctl/brood/supervisor/machine"
)

// station is how far a pool has come before its machine takes over.
type station uint8

const (
	held      station = iota // waits for other pools
	preparing                // what it requires is being checked, or its one-shot commands run
	running                  // the machine decides
)

// ErrNotStarted answers requests to a pool that waits for others.
var ErrNotStarted = errors.New("the pool has not started yet")

// accepts reports whether the pool does what people ask for.
func (p *pool) accepts() bool {
	return p.station == running && p.st.Phase == machine.Serving && !p.sup.leaving
}

// notRunning says why a pool takes no requests.
func (p *pool) notRunning() error {
	if p.station != running && !p.sup.leaving && p.st.Phase == machine.Serving {
		return ErrNotStarted
	}
	return ErrStopped
}

// serves reports whether every wanted slot has somebody who serves, or has finished.
func (p *pool) serves() bool { return p.servesFrom(0) }

// servesFrom is serves for the slots from one on.
func (p *pool) servesFrom(first int) bool {
	if p.station != running || p.st.Phase != machine.Serving {
		return false
	}
	for i := first; i < min(p.st.Spec.Workers, len(p.st.Slots)); i++ {
		if !p.st.StandsBy(i) && !slices.ContainsFunc(p.st.Slots[i].Workers[:], func(w machine.Worker) bool {
			return w.Health.Serves() || w.Health == machine.Finished
		}) {
			return false
		}
	}
	return true
}

// isPure reports whether there is nobody but workers of the wanted generation, also in slots that are not wanted any more:
// whatever another edition has, as a listener, can go elsewhere.
func (p *pool) isPure() bool {
	for _, rec := range p.workers {
		if rec.generation != p.wanted() {
			return false
		}
	}
	return p.st.Rollout.Phase == machine.NoRollout
}

// awaited are the pools that must be ready before this one starts, and are not.
func (p *pool) awaited() []string {
	var names []string
	for _, name := range p.cfg().After {
		if q := p.sup.pool(name); q != nil && !q.settled && (q.st.Phase != machine.Exited || q.code != 0) {
			names = append(names, name)
		}
	}
	return names
}

// startDue starts the pools that wait for nobody any more.
func (s *Supervisor) startDue() {
	if s.leaving {
		return
	}
	for _, p := range s.pools {
		if !p.settled && p.serves() {
			p.settled = true
		}
	}
	for _, p := range s.pools {
		if p.station == held && p.st.Phase == machine.Serving && len(p.awaited()) == 0 {
			p.start()
		}
	}
}

// leave stops all pools, each when those that come after it have ended.
func (s *Supervisor) leave() {
	if !s.leaving {
		s.leaving = true
		s.cancel()
		s.giveUpReloads()
	}
	s.stopDue()
	s.stopping()
}

// stopDue stops the pools that nobody comes after any more.
func (s *Supervisor) stopDue() {
	if !s.leaving {
		return
	}
	for again := true; again; {
		again = false
		for _, p := range s.pools {
			if p.st.Phase == machine.Serving && !s.isNeeded(p) {
				p.step(machine.StopRequested{Outlived: p.isOutlived()})
				again = true
			}
		}
	}
}

// isNeeded reports whether a pool that came after this one has not ended yet.
func (s *Supervisor) isNeeded(p *pool) bool {
	return slices.ContainsFunc(s.pools, func(q *pool) bool {
		return q != p && q.st.Phase != machine.Exited && slices.Contains(q.cfg().After, p.name)
	})
}

// term climbs the ladder of terminations: the first stops gracefully, the second and third ask again those that have
// been told, the fourth kills all.
func (s *Supervisor) term() {
	s.terms++
	s.forced = s.forced || s.terms >= forcedAt
	for _, p := range s.pools {
		switch {
		case s.terms >= forcedAt:
			p.step(machine.KillRequested{})
		case p.st.Phase == machine.Stopping:
			p.step(machine.TermReceived{})
		}
	}
	s.leave()
}

// forcedAt is the count of terminations that ends everything at once: I5, across pools.
const forcedAt = 4
