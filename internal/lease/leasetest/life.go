package leasetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// Who waits is told of a release, and at once where a place is free already.
func waits(t *testing.T, w World) {
	es := w.engines(t, 2)
	among := lease.Range{First: 0, Last: 1}
	w.claim(t, es[0], "turns", 0)
	if err := es[1].Wait(w.context(t), "turns", among); err != nil {
		t.Fatalf("place 1 is free: %v", err)
	}
	c := w.claim(t, es[0], "turns", 1)

	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := es[1].Wait(soon, "turns", among); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("waited for a full range until %v", err)
	}
	told := make(chan error)
	go func() { told <- es[1].Wait(w.context(t), "turns", among) }()
	select {
	case err := <-told:
		t.Fatalf("told although nothing is free: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	w.release(t, c)
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	w.claim(t, es[1], "turns", 1)
}

// The places of a killed holder are not given again before the cooldown, and then with a larger fence.
func killed(t *testing.T, w World) {
	es := w.engines(t, 2)
	dead := w.claim(t, es[0], "ids", 0)
	kept := w.claim(t, es[1], "ids", 1)
	if w.Cooldown > 0 {
		if _, err := es[1].Claim(w.context(t), "ids", 0); !errors.Is(err, lease.ErrTaken) {
			t.Fatalf("the holder lives, and the place: %v", err)
		}
	}
	w.Kill(t, es[0])
	at := time.Now()
	c, err := lease.Acquire(w.context(t), es[1], "ids", lease.Range{First: 0, Last: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if after := time.Since(at); after < w.Cooldown {
		t.Errorf("the place of a killed holder was given again after %v, before %v", after, w.Cooldown)
	}
	if c.Place() != 0 || c.Fence() <= dead.Fence() {
		t.Errorf("place %d with fence %d, after fence %d of place 0", c.Place(), c.Fence(), dead.Fence())
	}
	select {
	case <-kept.Lost():
		t.Error("the living one has lost its place as well")
	default:
	}
	if hs := w.holders(t, es[1], "ids"); len(hs) != 2 || hs[0].Who != "host1/web/101" || hs[0].Cooling {
		t.Errorf("holders: %+v", hs)
	}
}

// A claim goes on in the next program of the same process, and only with the right fence.
func adopts(t *testing.T, w World) {
	es := w.engines(t, 2)
	c := w.claim(t, es[0], "ids", 6)
	wrong := c.Saved()
	wrong.Fence--
	next := w.Upgrade(t, es[0], "host0/web/100")
	if _, err := es[1].Claim(w.context(t), "ids", 6); !errors.Is(err, lease.ErrTaken) {
		t.Fatalf("between two programs: %v", err)
	}
	adopted, err := next.Adopt(w.context(t), c.Saved(), c.File())
	if err != nil {
		t.Fatal(err)
	}
	check(t, adopted, "ids", lease.Only(6))
	if adopted.Fence() != c.Fence() {
		t.Errorf("fence %d, was %d", adopted.Fence(), c.Fence())
	}
	if _, err := next.Claim(w.context(t), "ids", 6); !errors.Is(err, lease.ErrTaken) {
		t.Errorf("claimed once more: %v", err)
	}
	if err := adopted.SetValue(w.context(t), "next"); err != nil {
		t.Error(err)
	}
	if hs := w.holders(t, es[1], "ids"); len(hs) != 1 || hs[0].Value != "next" {
		t.Errorf("holders: %+v", hs)
	}
	w.release(t, adopted)
	w.claim(t, es[1], "ids", 6)
}

// After Close nothing is done any more, and who waited is told.
func closed(t *testing.T, w World) {
	es := w.engines(t, 2)
	w.claim(t, es[0], "ids", 0)
	c := w.claim(t, es[1], "ids", 1)
	told := make(chan error)
	go func() { told <- es[1].Wait(w.context(t), "ids", lease.Only(0)) }()
	if err := es[1].Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-told; !errors.Is(err, lease.ErrClosed) {
		t.Errorf("who waited: %v", err)
	}
	ctx := w.context(t)
	_, claim := es[1].Claim(ctx, "ids", 2)
	_, some := es[1].ClaimAny(ctx, "ids", lease.Only(2))
	_, list := es[1].Holders(ctx, "ids")
	for i, err := range []error{claim, some, list, es[1].Wait(ctx, "ids", lease.Only(2)), c.SetValue(ctx, "x")} {
		if !errors.Is(err, lease.ErrClosed) {
			t.Errorf("call %d after the end: %v", i, err)
		}
	}
	if err := es[1].Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// What cannot be is refused, with words that say what it was.
func mistakes(t *testing.T, w World) {
	e := w.Engine(t, "here/web/1")
	ctx := w.context(t)
	for _, name := range []string{"", ".", "../x", "a/b", "a b", "a\x00b", strings.Repeat("x", lease.MaxName+1)} {
		if _, err := e.Claim(ctx, name, 0); err == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
	for _, r := range []lease.Range{{First: -1, Last: 3}, {First: 3, Last: 2}, {First: 0, Last: lease.MaxPlace + 1}} {
		if _, err := e.ClaimAny(ctx, "ids", r); err == nil || !strings.Contains(err.Error(), "ids") {
			t.Errorf("range %v: %v", r, err)
		}
		if err := e.Wait(ctx, "ids", r); err == nil {
			t.Errorf("waited for range %v", r)
		}
	}
	c := w.claim(t, e, strings.Repeat("x", lease.MaxName), lease.MaxPlace)
	if err := c.SetValue(ctx, strings.Repeat("v", lease.MaxValue)); err != nil {
		t.Error(err)
	}
	if err := c.SetValue(ctx, strings.Repeat("v", lease.MaxValue+1)); err == nil {
		t.Error("a value can be of any length")
	}
}

// A caller that has given up gets nothing, and keeps nothing from others.
func givenUp(t *testing.T, w World) {
	es := w.engines(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := es[0].Claim(ctx, "ids", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("claimed for nobody: %v", err)
	}
	if _, err := lease.Acquire(ctx, es[0], "ids", lease.Only(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("acquired for nobody: %v", err)
	}
	w.claim(t, es[1], "ids", 0)
}
