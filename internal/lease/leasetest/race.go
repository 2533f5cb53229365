package leasetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/broodctl/brood/internal/lease"
)

// Many claim at once from a range that is exactly large enough: each gets a place of its own.
func nobodyTwice(t *testing.T, w World) {
	es := w.engines(t, 4)
	among := lease.Range{First: 0, Last: 31}
	given := make([]atomic.Int32, among.Len())
	ctx := w.context(t)
	var wg sync.WaitGroup
	for i := range among.Len() {
		wg.Go(func() {
			// The first of them to claim prefer the same place.
			c, err := es[i%len(es)].ClaimAny(ctx, "ids", among, 5)
			if err != nil {
				t.Error(err)
				return
			}
			if n := given[c.Place()].Add(1); n != 1 {
				t.Errorf("place %d was given %d times", c.Place(), n)
			}
		})
	}
	wg.Wait()
	if hs := w.holders(t, es[0], "ids"); len(hs) != among.Len() {
		t.Errorf("%d holders of %d places", len(hs), among.Len())
	}
}

// Who waits for the only place gets it in turn, never two of them at a time, and always with a larger fence.
func oneLeader(t *testing.T, w World) {
	const turns = 3
	es := w.engines(t, 4)
	ctx := w.context(t)
	var leading, last atomic.Int64
	var wg sync.WaitGroup
	for _, e := range es {
		wg.Go(func() {
			for range turns {
				if err := lead(ctx, t, e, &leading, &last); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func lead(ctx context.Context, t *testing.T, e lease.Engine, leading, last *atomic.Int64) error {
	c, err := lease.Acquire(ctx, e, "leader", lease.Only(0))
	if err != nil {
		return err
	}
	if n := leading.Add(1); n != 1 {
		t.Errorf("%d leaders at once", n)
	}
	if fence := int64(c.Fence()); last.Swap(fence) >= fence {
		t.Errorf("the leader's fence is %d, not above the one before", fence)
	}
	leading.Add(-1)
	return c.Release(ctx)
}

// Many wait for a few places: all get their turn, and no more have one at a time than there are places.
func manyWait(t *testing.T, w World) {
	const places, waiters = 3, 12
	es := w.engines(t, 3)
	ctx := w.context(t)
	var inside atomic.Int64
	var wg sync.WaitGroup
	for i := range waiters {
		wg.Go(func() {
			c, err := lease.Acquire(ctx, es[i%len(es)], "turns", lease.Range{First: 0, Last: places - 1})
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n > places {
				t.Errorf("%d have a turn at once, more than %d", n, places)
			}
			inside.Add(-1)
			if err := c.Release(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
