package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// Who waits for a memo and is cut off hears what was written meanwhile once he is joined again.
func TestMemoWhileCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		told := make(chan lease.Memo, 1)
		go func() {
			m, err := b.AwaitMemo(t.Context(), "web", 0)
			if err != nil {
				t.Error(err)
			}
			told <- m
		}()
		pass(time.Second)
		b.way.Cut()
		if _, err := b.Memo(t.Context(), "web"); !errors.Is(err, lease.ErrUnavailable) {
			t.Errorf("read while cut off: %v", err)
		}
		m, err := a.SetMemo(t.Context(), "web", "stopped", 0)
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		select {
		case m := <-told:
			t.Fatalf("told while cut off: %+v", m)
		default:
		}
		b.way.Join()
		if got := <-told; got != m {
			t.Errorf("told %+v, not %+v", got, m)
		}
	})
}

// A day of waiting costs a watch and no requests.
func TestWaitForMemoCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		h := newHolder(t, s, "a")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := h.AwaitMemo(ctx, "web", 0)
			ended <- err
		}()
		pass(time.Second)
		before := s.Counts()
		pass(24 * time.Hour)
		if c := s.Counts().Since(before); c.Memos+c.Watches != 0 {
			t.Errorf("a day of waiting: %v", c)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
