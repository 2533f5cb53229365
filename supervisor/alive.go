package supervisor

import (
	"context"
	"fmt"
)

// Alive waits until the loop has answered: that it turns cannot be seen from outside, and whoever wants to know has to
// ask. It returns ErrStopped when the loop has ended, and the context's error when that ended first.
func (s *Supervisor) Alive(ctx context.Context) error {
	answer := make(chan struct{})
	if !s.mail.post(nudged{answer: answer}) {
		return ErrStopped
	}
	select {
	case <-answer:
		return nil
	case <-s.quit:
		return ErrStopped
	case <-ctx.Done():
		return fmt.Errorf("cannot wait for the supervisor's loop: %w", ctx.Err())
	}
}

// Published returns the latest snapshot as the loop made it: without ages and figures, which Snapshot adds at some cost.
// It must not be changed.
func (s *Supervisor) Published() *Snapshot { return s.snapshot.Load() }
