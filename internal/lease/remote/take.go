package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/broodctl/brood/internal/lease"
)

// Ranges up to this size are listed before a place is tried, and larger ones in parts of this size: the answer is a few
// kilobytes, and at a fleet's start nobody reads all the places of all others.
const window = 256

// tries is how many places of a list are tried: after that many in vain it is old.
const tries = 3

// Claim takes a place.
func (e *Engine) Claim(ctx context.Context, name string, place int) (lease.Claim, error) {
	if err := lease.Check(name, lease.Only(place)); err != nil {
		return nil, fmt.Errorf("cannot claim place %d of %s: %w", place, name, err)
	}
	c, err := e.claim(ctx, key{name, place})
	var taken *lease.TakenError
	switch {
	case errors.As(err, &taken):
		return nil, err // says all of it
	case err != nil:
		return nil, fmt.Errorf("cannot claim place %d of %s: %w", place, name, err)
	}
	return c, nil
}

// ClaimAny tries the preferred places, one that was seen free or one at random, and then what it sees to be free.
// So those who claim at the same time seldom meet.
func (e *Engine) ClaimAny(ctx context.Context, name string, among lease.Range, prefer ...int) (lease.Claim, error) {
	if err := lease.Check(name, among); err != nil {
		return nil, fmt.Errorf("cannot claim one of %v of %s: %w", among, name, err)
	}
	c, err := e.any(ctx, name, among, prefer)
	if err != nil {
		return nil, fmt.Errorf("cannot claim one of %v of %s: %w", among, name, err)
	}
	return c, nil
}

func (e *Engine) any(ctx context.Context, name string, among lease.Range, prefer []int) (*claim, error) {
	h, hinted := e.takeHint(name, among)
	switch {
	case hinted:
		prefer = append(slices.Clip(prefer), h.place)
	case among.Len() > window:
		// One at random, unseen: while the range is half empty that does, and in a full one a look costs etcd less.
		prefer = append(slices.Clip(prefer), among.First+rand.N(among.Len())) //nolint:gosec // it need not be hard to guess
	}
	for _, place := range prefer {
		if !among.Contains(place) {
			continue
		}
		if c, err := e.claim(ctx, key{name, place}); !errors.Is(err, lease.ErrTaken) {
			return c, err
		}
	}
	full := fmt.Errorf("%w (in %v)", lease.ErrFull, e.store)
	if hinted && h.only == among && e.cfg.Clock.Now() < h.until {
		return nil, full // we waited for it, and all others were taken
	}
	parts := (among.Len() + window - 1) / window
	first := rand.N(parts) //nolint:gosec // as above
	for i := range parts {
		from := among.First + (first+i)%parts*window
		c, err := e.within(ctx, name, lease.Range{First: from, Last: min(from+window-1, among.Last)})
		if !errors.Is(err, lease.ErrFull) {
			return c, err
		}
	}
	return nil, full
}

// within looks at a part of the range, and takes one that is free there, until none is.
func (e *Engine) within(ctx context.Context, name string, part lease.Range) (*claim, error) {
	for {
		entries, _, err := e.look(ctx, name, part)
		if err != nil {
			return nil, err
		}
		free := e.free(name, part, entries)
		if len(free) == 0 {
			return nil, lease.ErrFull
		}
		rand.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] }) //nolint:gosec // as above
		for _, place := range free[:min(len(free), tries)] {
			if c, err := e.claim(ctx, key{name, place}); !errors.Is(err, lease.ErrTaken) {
				return c, err
			}
		}
	}
}

func (e *Engine) look(ctx context.Context, name string, part lease.Range) ([]Entry, uint64, error) {
	ctx, cancel := e.request(ctx)
	defer cancel()
	entries, at, err := e.store.Look(ctx, name, part)
	if err != nil {
		return nil, 0, e.explain(ctx, err)
	}
	return entries, at, nil
}

// free are the places of a part without an entry, or whose cooldown is over, that this engine does not have itself.
func (e *Engine) free(name string, part lease.Range, entries []Entry) []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	var free []int
	next := 0
	for place := part.First; place <= part.Last; place++ {
		available := true
		if next < len(entries) && entries[next].Place == place {
			available = !entries[next].Alive && e.cooled(name, entries[next])
			next++
		}
		k := key{name, place}
		_, busy := e.busy[k]
		if available && !busy && (e.claims[k] == nil || e.claims[k].state == lost) {
			free = append(free, place)
		}
	}
	return free
}

// claim takes a place, which nobody else in this engine touches meanwhile.
func (e *Engine) claim(ctx context.Context, k key) (*claim, error) {
	e.mu.Lock()
	if err := e.reserve(k); err != nil {
		e.mu.Unlock()
		return nil, err
	}
	e.mu.Unlock()
	c, err := e.take(ctx, k)
	e.mu.Lock()
	e.leave(k)
	e.mu.Unlock()
	return c, err
}

// reserve makes a place busy. The engine is locked.
func (e *Engine) reserve(k key) error {
	mine := lease.Holder{Place: k.place, Who: e.cfg.Who}
	if c := e.claims[k]; c != nil && c.state == held {
		mine.Fence = c.fence
		return &lease.TakenError{Name: k.name, Holder: mine}
	}
	if _, busy := e.busy[k]; busy {
		return &lease.TakenError{Name: k.name, Holder: mine}
	}
	e.busy[k] = make(chan struct{})
	return nil
}

// leave undoes reserve. The engine is locked.
func (e *Engine) leave(k key) {
	close(e.busy[k])
	delete(e.busy, k)
}

func (e *Engine) take(ctx context.Context, k key) (*claim, error) {
	s, err := e.current(ctx, e.cfg.Lease)
	if err != nil {
		return nil, err
	}
	ctx, cancel := e.request(ctx)
	defer cancel()
	expect := e.expected(k)
	// What is in the way may be our own, or have cooled, or both in turn.
	for range 3 {
		x, ok, err := e.store.Take(ctx, k.name, expect, Entry{Place: k.place, Session: s.ID, Who: e.cfg.Who})
		switch {
		case err != nil:
			return nil, e.doubt(ctx, k, s, err)
		case ok:
			return e.got(k, x.Fence, s)
		}
		again, err := e.inTheWay(ctx, k, s, x)
		switch {
		case err != nil:
			return nil, err
		case !again:
			return nil, &lease.TakenError{Name: k.name, Holder: x.holder()}
		}
		expect = e.expected(k)
	}
	return nil, &lease.TakenError{Name: k.name, Holder: lease.Holder{Place: k.place}}
}

// got notes what the store gave, unless the session was lost meanwhile.
func (e *Engine) got(k key, fence uint64, s lease.Session) (*claim, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session.ID != s.ID || e.cfg.Clock.Now() >= e.session.Deadline {
		e.owe(k, debt{fence: fence})
		return nil, fmt.Errorf("%w: the session ended meanwhile", lease.ErrUnavailable)
	}
	if old := e.claims[k]; old != nil {
		old.state = released // it was lost, and its place is ours again
	}
	delete(e.debts, k)
	delete(e.cooling, k)
	return e.note(k, fence, s.ID), nil
}
