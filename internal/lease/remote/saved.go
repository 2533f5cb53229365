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
	owe := func(k key, d debt) {
		s.Debts = append(s.Debts, Debt{Name: k.name, Place: k.place, Fence: d.fence, Session: d.session, Until: d.until})
	}
	for k, all := range e.debts {
		for _, d := range all {
			owe(k, d)
		}
	}
	if e.session.ID == 0 {
		return s // what was sent in another one ends with that
	}
	for k := range e.busy {
		owe(k, debt{session: e.session.ID, until: e.cfg.Clock.Now() + 2*e.cfg.Lease})
	}
	return s
}

func (s Saved) debts() map[key][]debt {
	owed := map[key][]debt{}
	for _, d := range s.Debts {
		k := key{d.Name, d.Place}
		owed[k] = append(owed[k], debt{fence: d.Fence, session: d.Session, until: d.Until})
	}
	return owed
}
