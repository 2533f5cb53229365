package lease

import (
	"context"
	"errors"
)

// Acquire claims a place of the range and waits as long as it takes: for the engine, and for a place.
func Acquire(ctx context.Context, engine Engine, name string, among Range, prefer ...int) (Claim, error) {
	for {
		claim, err := engine.ClaimAny(ctx, name, among, prefer...)
		switch {
		case err == nil:
			return claim, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !errors.Is(err, ErrFull) && !errors.Is(err, ErrUnavailable):
			return nil, err
		}
		if err := engine.Wait(ctx, name, among); err != nil {
			return nil, err
		}
	}
}
