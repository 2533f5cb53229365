package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/broodctl/brood/internal/lease"
)

// Queue is the wait of one pool for its turn.
type Queue struct {
	fleet Fleet
	among lease.Range
	known bool // how many may roll at once; it is found out once, and not for each of a thousand who wait
}

// NewQueue begins to wait.
func NewQueue(f Fleet) *Queue { return &Queue{fleet: f} }

// haltedError is why nobody may begin, at a revision of the memo.
type haltedError struct {
	why      string
	revision uint64
}

func (e *haltedError) Error() string { return e.why }

// Take gives the turn, if it can be had. Else the error is for Await.
func (q *Queue) Take(ctx context.Context) (lease.Claim, error) {
	if err := q.mayBegin(ctx); err != nil {
		return nil, err
	}
	if err := q.count(ctx); err != nil {
		return nil, err
	}
	turn, err := q.fleet.Engine.ClaimAny(ctx, q.fleet.Config.Turns(), q.among)
	if err != nil {
		return nil, err
	}
	if err := q.mayBegin(ctx); err != nil {
		return nil, errors.Join(err, turn.Release(context.WithoutCancel(ctx)))
	}
	return turn, nil
}

func (q *Queue) mayBegin(ctx context.Context) error {
	s, revision, err := q.fleet.read(ctx)
	if err != nil {
		return err
	}
	if why := s.Halts(q.fleet.Config); why != "" {
		return &haltedError{why: why, revision: revision}
	}
	return nil
}

func (q *Queue) count(ctx context.Context) error {
	if q.known {
		return nil
	}
	members := 0
	if q.fleet.Config.ParallelPercent > 0 {
		var err error
		if members, err = q.fleet.count(ctx); err != nil {
			return err
		}
	}
	q.among, q.known = lease.Range{First: 0, Last: q.fleet.Config.AtOnce(members) - 1}, true
	return nil
}

// Await returns when there may be a turn to be had, after an error of Take. Another error is one of the machine's.
func (q *Queue) Await(ctx context.Context, why error) error {
	halted, is := errors.AsType[*haltedError](why)
	switch {
	case is:
		_, err := q.fleet.Engine.AwaitMemo(ctx, q.fleet.Config.Name, halted.revision)
		return err
	case errors.Is(why, lease.ErrFull), errors.Is(why, lease.ErrTaken):
		return q.fleet.Engine.Wait(ctx, q.fleet.Config.Turns(), q.among)
	case errors.Is(why, lease.ErrUnavailable):
		// One of these is free: this waits for an answer of the engine alone.
		return q.fleet.Engine.Wait(ctx, q.fleet.Config.Turns(), lease.Range{First: 0, Last: MaxMembers})
	}
	return why
}

// Explain says what is in the way of the turn.
func (q *Queue) Explain(ctx context.Context, why error) string {
	if !errors.Is(why, lease.ErrFull) {
		return why.Error()
	}
	holders, err := q.fleet.Engine.Holders(ctx, q.fleet.Config.Turns())
	if err != nil {
		return why.Error()
	}
	var words []string
	for i, h := range holders {
		if i == lease.MostNamed {
			words = append(words, fmt.Sprintf("and %d others", len(holders)-lease.MostNamed))
			break
		}
		word := h.Called()
		if h.Cooling && i == len(holders)-1 {
			word += "," // before the verb
		}
		words = append(words, word)
	}
	switch len(words) {
	case 0:
		return "somebody else rolls"
	case 1:
		return words[0] + " rolls"
	}
	return strings.Join(words, ", ") + " roll"
}
