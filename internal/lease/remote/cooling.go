package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// observation is when this engine first saw that the holder of a mark was lost.
type observation struct {
	fence uint64
	since time.Duration
}

// observe notes a place without a holder, and says when its cooldown is over. The engine is locked.
func (e *Engine) observe(name string, x Entry) (over time.Duration) {
	k := key{name, x.Place}
	o, seen := e.cooling[k]
	if !seen || o.fence != x.Fence {
		o = observation{fence: x.Fence, since: e.cfg.Clock.Now()}
		e.cooling[k] = o
	}
	return o.since + e.cfg.cooldown()
}

// cooledDown forgets a place that was released after all.
func (e *Engine) cooledDown(name string, place int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.cooling, key{name, place})
}

// cooled says whether a place without a holder may be given again: to whom lost it himself at once, if he did not
// release it, and else after the cooldown. The engine is locked.
func (e *Engine) cooled(name string, x Entry) bool {
	if c := e.claims[key{name, x.Place}]; c != nil && c.state == lost && c.fence == x.Fence {
		return true
	}
	return e.cfg.Clock.Now() >= e.observe(name, x)
}

// expected is the fence of the mark that a claim may replace, or 0.
func (e *Engine) expected(k key) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.claims[k]; c != nil && c.state == lost {
		return c.fence
	}
	if o, seen := e.cooling[k]; seen && e.cfg.Clock.Now() >= o.since+e.cfg.cooldown() {
		return o.fence
	}
	return 0
}

// hasLost reports whether a mark is that of a claim which was lost here and not released.
func (e *Engine) hasLost(k key, fence uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.claims[k]
	return c != nil && c.state == lost && c.fence == fence
}

// inTheWay deals with the entry of a place that could not be taken, and says whether to try again.
func (e *Engine) inTheWay(ctx context.Context, k key, s lease.Session, x Entry) (again bool, err error) {
	switch {
	case x.Fence == 0 && !x.Alive:
		// Nothing is there: what was expected is gone.
		e.forget(k)
		return true, nil
	case x.Session == s.ID && x.Alive:
		// Our own, and no claim of ours: what an earlier request took or gave back without an answer.
		if err := e.store.Drop(ctx, k.name, k.place, x.Fence); err != nil {
			return false, e.doubt(ctx, k, s, err)
		}
		return true, nil
	case x.Alive && e.hasLost(k, x.Fence):
		// Our own, in a session that we have lost before the store did.
		if err := e.store.Revoke(ctx, x.Session); err != nil && !errors.Is(err, ErrGone) {
			return false, e.explain(ctx, err)
		}
		return true, nil
	case x.Alive:
		e.forget(k)
		return false, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.claims[k]; c != nil && c.fence != x.Fence {
		c.state = released // somebody else had it since, and lost it too
		delete(e.claims, k)
	}
	return e.cooled(k.name, x), nil
}

// forget drops what was expected of a place.
func (e *Engine) forget(k key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.cooling, k)
	if c := e.claims[k]; c != nil && c.state == lost {
		c.state = released
		delete(e.claims, k)
	}
}

// debt is what the store may have of us though we do not use it: of a fence, or, where that is 0, of a session.
type debt struct {
	fence   uint64
	session lease.SessionID
	until   time.Duration // a request that was not answered is not carried out later than this
}

// doubt notes that a request may have been carried out, and explains its error.
func (e *Engine) doubt(ctx context.Context, k key, s lease.Session, err error) error {
	if errors.Is(err, ErrGone) {
		e.suspect()
		return fmt.Errorf("%w: %w", lease.ErrUnavailable, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owe(k, debt{session: s.ID, until: e.cfg.Clock.Now() + 2*e.cfg.Lease})
	return e.explain(ctx, err)
}

// owe notes a debt, or that it lasts for longer. The engine is locked.
func (e *Engine) owe(k key, d debt) {
	for i, x := range e.debts[k] {
		if x.fence == d.fence && x.session == d.session {
			e.debts[k][i].until = max(x.until, d.until)
			return
		}
	}
	e.debts[k] = append(e.debts[k], d)
}

// settle clears debts up beside the session, whose renewals must not wait for it.
func (e *Engine) settle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.settling || len(e.debts) == 0 {
		return
	}
	e.settling = true
	owed := map[key][]debt{}
	for k, all := range e.debts {
		owed[k] = slices.Clone(all)
	}
	e.running.Go(func() {
		for k, all := range owed {
			for _, d := range all {
				if e.ctx.Err() == nil {
					e.pay(k, d)
				}
			}
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.settling = false
	})
}

// pay gives a place back that nobody here uses. Until the store has answered it is tried at each renewal.
func (e *Engine) pay(k key, d debt) {
	e.mu.Lock()
	if !slices.Contains(e.debts[k], d) || e.reserve(k) != nil {
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	ctx, cancel := e.request(e.ctx)
	defer cancel()
	fence, done := d.fence, d.fence != 0
	var err error
	if fence == 0 {
		var there []Entry
		there, _, err = e.store.Look(ctx, k.name, lease.Only(k.place))
		if len(there) > 0 && there[0].Session == d.session {
			fence, done = there[0].Fence, true
		}
		done = done || e.cfg.Clock.Now() >= d.until
	}
	if err == nil && fence != 0 {
		err = e.store.Drop(ctx, k.name, k.place, fence)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leave(k)
	if err == nil && done {
		e.paid(k, d)
	}
}

// paid strikes a debt. The engine is locked.
func (e *Engine) paid(k key, d debt) {
	e.debts[k] = slices.DeleteFunc(e.debts[k], func(x debt) bool { return x == d })
	if len(e.debts[k]) == 0 {
		delete(e.debts, k)
	}
}
