package remote

import (
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// Saved is what an engine leaves to that of the next program of the same process, beside its claims: its session, and the
// places that the store may still have as its own though nobody uses them.
type Saved struct {
	Session lease.Session
	Debts   []Debt `json:",omitempty"`
}

// Debt is a place to be given back: the claim of a fence, or, where that is 0, what a session has there.
type Debt struct {
	Name    string
	Place   int
	Fence   uint64          `json:",omitempty"`
	Session lease.SessionID `json:",omitempty"`
	Until   time.Duration   `json:",omitempty"` // by CLOCK_BOOTTIME: a request that was not answered is not carried out later
}

// Saved is for the moment before another program takes the place of this one. Nobody may claim a place any more. What is
// being released counts as not released: another time does no harm.
func (e *Engine) Saved() Saved {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Saved{Session: e.session}
	for k, d := range e.debts {
		s.Debts = append(s.Debts, Debt{Name: k.name, Place: k.place, Fence: d.fence, Session: d.session, Until: d.until})
	}
	for k := range e.busy {
		if _, owed := e.debts[k]; !owed {
			s.Debts = append(s.Debts, Debt{Name: k.name, Place: k.place, Session: e.session.ID, Until: e.cfg.Clock.Now() + 2*e.cfg.Lease})
		}
	}
	return s
}

func (s Saved) debts() map[key]debt {
	owed := map[key]debt{}
	for _, d := range s.Debts {
		owed[key{d.Name, d.Place}] = debt{fence: d.Fence, session: d.Session, until: d.Until}
	}
	return owed
}
