package memory_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/memory"
	"github.com/broodctl/brood/internal/lease/remote"
)

// holder is an engine, its way to the server, and what it was told.
type holder struct {
	*remote.Engine
	way *memory.Client

	mu      sync.Mutex
	notices []lease.Notice
	times   []time.Duration
}

func newHolder(t *testing.T, s *memory.Server, who string) *holder {
	t.Helper()
	h := &holder{way: s.Client()}
	clock := s.Clock()
	h.Engine = engine(t, h.way, remote.Config{Who: who, Notify: func(n lease.Notice) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notices, h.times = append(h.notices, n), append(h.times, clock.Now())
	}})
	return h
}

// told is the last notice of a kind and when it came.
func (h *holder) told(kind lease.NoticeKind) (n lease.Notice, at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, x := range h.notices {
		if x.Kind == kind {
			n, at = x, h.times[i]
		}
	}
	return n, at
}

func (h *holder) claim(t *testing.T, place int) lease.Claim {
	t.Helper()
	c, err := h.Claim(t.Context(), "ids", place)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func taken(t *testing.T, h *holder, place int) {
	t.Helper()
	if _, err := h.Claim(t.Context(), "ids", place); !errors.Is(err, lease.ErrTaken) {
		t.Fatalf("place %d is not taken: %v", place, err)
	}
}

// pass lets virtual time go on.
func pass(d time.Duration) { <-time.After(d) }
