package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// source is where a claim comes from.
type source interface {
	// Take gives it, if it can be had.
	Take(ctx context.Context) (lease.Claim, error)
	// Await waits until another Take may do, after an error. It returns an error where nobody knows when that is.
	Await(ctx context.Context, why error) error
	// Explain says why Take gave nothing.
	Explain(ctx context.Context, why error) string
}

// seek asks for a claim until there is one. It returns nil where the context has ended first.
func seek(ctx context.Context, from source, report func(why string)) lease.Claim {
	for pauses := (pauses{}); ; {
		claim, err := from.Take(ctx)
		if err == nil {
			return claim
		}
		if ctx.Err() == nil {
			report(from.Explain(ctx, err))
		}
		err = from.Await(ctx, err)
		if ctx.Err() != nil || errors.Is(err, lease.ErrClosed) {
			return nil
		}
		if err == nil {
			pauses.begin()
			continue
		}
		if !pauses.rest(ctx) {
			return nil
		}
	}
}

// pauses are those between attempts that fail: each is twice as long as the one before.
type pauses struct{ last time.Duration }

func (p *pauses) begin() { p.last = 0 }

// rest makes the next one, and reports whether the context has not ended.
func (p *pauses) rest(ctx context.Context) bool {
	p.last = min(max(seekAgain, 2*p.last), seekAgainMost)
	timer := time.NewTimer(p.last)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// seeker is any place of a range.
type seeker struct {
	engine lease.Engine
	name   string
	among  lease.Range
	prefer []int
}

// Take tries those that are preferred first.
func (s seeker) Take(ctx context.Context) (lease.Claim, error) {
	return s.engine.ClaimAny(ctx, s.name, s.among, s.prefer...)
}

// Await waits for a place that is free.
func (s seeker) Await(ctx context.Context, why error) error {
	if errors.Is(why, lease.ErrFull) || errors.Is(why, lease.ErrUnavailable) || errors.Is(why, lease.ErrTaken) {
		return s.engine.Wait(ctx, s.name, s.among)
	}
	return why
}

// Explain says who has what there is none of.
func (s seeker) Explain(ctx context.Context, err error) string {
	if !errors.Is(err, lease.ErrFull) {
		return err.Error()
	}
	holders, unknown := s.engine.Holders(ctx, s.name)
	if unknown != nil {
		return err.Error()
	}
	var words []string
	for _, h := range holders {
		if !s.among.Contains(h.Place) {
			continue
		}
		if len(words) == lease.MostNamed {
			words = append(words, "and others")
			break
		}
		word := h.Called()
		if s.among.Len() > 1 {
			word = fmt.Sprintf("%d by %s", h.Place, word)
		}
		words = append(words, word)
	}
	if s.among.Len() == 1 {
		return "held by " + strings.Join(words, ", ")
	}
	return fmt.Sprintf("%d-%d are all taken: %s", s.among.First, s.among.Last, strings.Join(words, ", "))
}
