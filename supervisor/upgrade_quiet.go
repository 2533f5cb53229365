package supervisor

import (
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// recall ends all watching, and looking for what is required: what has been begun would be nobody's business in the next
// program.
func (s *Supervisor) recall() {
	s.inquiries.pause()
	for _, p := range s.pools {
		for _, rec := range p.workers {
			rec.unwatch()
		}
	}
}

// areBack waits a moment for those who ask something, and signal workers.
func (s *Supervisor) areBack() error {
	late := time.After(lastWords)
	for _, c := range []*crew{&s.probing, &s.inquiries.crew, &s.couriers} {
		select {
		case <-c.back():
		case <-late:
			return errBusy
		}
	}
	return nil
}

// isQuiet reports whether nothing is under way beside the loop that another program could not take up again.
func (s *Supervisor) isQuiet() bool {
	if s.transaction != nil || len(s.reloads) > 0 || s.looking > 0 {
		return false
	}
	for _, p := range s.pools {
		if p.errands.rolls > 0 || p.station == preparing && len(p.cfg().PreStart) > 0 && p.st.Phase == machine.Serving {
			return false
		}
	}
	return true
}

// holdsLaunches reports whether workers are left to be started by the next program.
func (s *Supervisor) holdsLaunches() bool { return s.upgrade != nil && s.upgrade.stage >= upHushing }

// isBearing reports whether a worker is being started, or a claim sought for one.
func (s *Supervisor) isBearing() bool {
	if s.seeks() || s.guard.isStarting() {
		return true
	}
	for _, p := range s.pools {
		for _, rec := range p.workers {
			if rec.proc == nil && !rec.over && !rec.unborn {
				return true
			}
		}
	}
	return false
}

// bear starts the workers, and the search for claims, that were left for another program.
func (s *Supervisor) bear() {
	for _, p := range s.pools {
		for ref, rec := range p.workers {
			if rec.unborn {
				p.launch(machine.Start{Ref: ref, ID: rec.id, Generation: rec.generation})
			}
		}
		for right := range p.claims.quest {
			p.seek(machine.Right(right))
		}
	}
}

// watchAgain takes back what recall has ended.
func (s *Supervisor) watchAgain() {
	s.inquiries.resume()
	for _, p := range s.pools {
		for _, rec := range p.workers {
			p.watchAgain(rec)
		}
	}
}
