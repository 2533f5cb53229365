package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// seeker asks for a place until it has one, or nobody wants it any more.
type seeker struct {
	engine lease.Engine
	name   string
	among  lease.Range
	prefer []int
}

// seek returns nil where the context has ended first.
func (s seeker) seek(ctx context.Context, report func(why string)) lease.Claim {
	for pause := seekAgain; ; {
		claim, err := s.engine.ClaimAny(ctx, s.name, s.among, s.prefer...)
		if err == nil {
			return claim
		}
		waits := errors.Is(err, lease.ErrFull) || errors.Is(err, lease.ErrUnavailable) || errors.Is(err, lease.ErrTaken)
		if ctx.Err() == nil {
			report(s.explain(ctx, err))
		}
		if waits {
			err = s.engine.Wait(ctx, s.name, s.among)
		}
		if ctx.Err() != nil || errors.Is(err, lease.ErrClosed) {
			return nil
		}
		if err == nil {
			pause = seekAgain
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, seekAgainMost)
	}
}

// mostHolders are named; more would say nothing more.
const mostHolders = 4

// explain says who has what there is none of.
func (s seeker) explain(ctx context.Context, err error) string {
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
		if len(words) == mostHolders {
			words = append(words, "and others")
			break
		}
		word := h.Who
		if word == "" {
			word = "somebody"
		}
		if s.among.Len() > 1 {
			word = fmt.Sprintf("%d by %s", h.Place, word)
		}
		if h.Cooling {
			word += ", who was lost"
		}
		words = append(words, word)
	}
	if s.among.Len() == 1 {
		return "held by " + strings.Join(words, ", ")
	}
	return fmt.Sprintf("%d-%d are all taken: %s", s.among.First, s.among.Last, strings.Join(words, ", "))
}
