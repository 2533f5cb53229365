package supervisor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Only a loop that turns answers.
func TestAlive(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		if err := s.sup.Alive(context.Background()); err != nil {
			t.Error(err)
		}
		hold, held := make(chan Verdict), make(chan struct{})
		s.sup.mail.post(answered{reply: replyFunc(func(Verdict) { close(held); <-hold })})
		<-held
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.sup.Alive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a loop that hangs: %v", err)
		}
		close(hold)
		synctest.Wait()
		if err := s.sup.Alive(context.Background()); err != nil {
			t.Error(err)
		}
		s.sup.Do(context.Background(), Request{Verb: Kill})
		synctest.Wait()
		if err := s.sup.Alive(context.Background()); !errors.Is(err, ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}
