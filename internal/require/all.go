package require

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/broodctl/brood/internal/redact"
)

// An outside service cannot tell us when it is there. Most that are up answer the first attempt, most that were
// started along with us answer within the first second, and a slow one costs an attempt in each second.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = time.Second
)

// Unmet is a requirement that did not hold.
type Unmet struct {
	Requirement Requirement
	Err         error // of the last attempt that came to its end
}

func (u *Unmet) Error() string { return u.Err.Error() }

func (u *Unmet) Unwrap() error { return u.Err }

// All checks the requirements side by side, again and again, until each has held once, the timeout is over, or the
// context is. It returns those that never held, in the order given. Variables are looked at once, because they do
// not change while a process waits. A timeout of 0 or less is a single attempt at each.
func All(ctx context.Context, timeout time.Duration, rs []Requirement, w World) []*Unmet {
	attempts := Requirement.await
	if timeout <= 0 {
		attempts, timeout = Requirement.Check, connectTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	errs := make([]error, len(rs))
	var wg sync.WaitGroup
	for i, r := range rs {
		wg.Go(func() { errs[i] = attempts(r, ctx, w) })
	}
	wg.Wait()
	var unmet []*Unmet
	for i, err := range errs {
		if err != nil {
			unmet = append(unmet, &Unmet{Requirement: rs[i], Err: err})
		}
	}
	return unmet
}

// await checks until the requirement holds, the context is over, or waiting cannot help.
func (r Requirement) await(ctx context.Context, w World) error {
	pause := firstPause
	var last error
	for {
		err := r.Check(ctx, w)
		switch {
		case err == nil:
			return nil
		case r.kind == kindEnv || errors.Is(err, errNoRunner):
			return err // waiting does not change it
		case last != nil && ctx.Err() != nil:
			return last // an attempt that was cut short says less than the one before it
		case ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
			return fmt.Errorf("%s was not awaited: %w", redact.Text(r.text), context.Cause(ctx))
		}
		last = err
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return last
		}
		pause = min(2*pause, maxPause)
	}
}
