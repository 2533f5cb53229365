package leasetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/lease"
)

// Who has a place keeps it from others, who learn his name. After a release it is free, and the fence is larger.
func claims(t *testing.T, w World) {
	a, b := w.Engine(t, "here/web/1"), w.Engine(t, "there/web/2")
	first := w.claim(t, a, "ids", 3)
	_, err := b.Claim(w.context(t), "ids", 3)
	if !errors.Is(err, lease.ErrTaken) || !strings.Contains(err.Error(), "place 3 of ids") || !strings.Contains(err.Error(), "here/web/1") {
		t.Fatalf("a taken place: %v", err)
	}
	var taken *lease.TakenError
	if !errors.As(err, &taken) || taken.Fence != first.Fence() || taken.Who != "here/web/1" || taken.Cooling {
		t.Errorf("the holder is %+v", taken)
	}
	other := w.claim(t, b, "ids", 4)
	w.release(t, first)
	second := w.claim(t, b, "ids", 3)
	if second.Fence() <= first.Fence() {
		t.Errorf("fence %d after %d", second.Fence(), first.Fence())
	}
	w.release(t, first) // once more: it is not his any more
	if _, err := a.Claim(w.context(t), "ids", 3); !errors.Is(err, lease.ErrTaken) {
		t.Errorf("a second release gave away what somebody else has: %v", err)
	}
	w.release(t, other)
	w.release(t, second)
	third := w.claim(t, a, "ids", 3)
	if third.Fence() <= second.Fence() {
		t.Errorf("fence %d after %d", third.Fence(), second.Fence())
	}
}

// An engine does not give itself a place twice either.
func takenByItself(t *testing.T, w World) {
	e := w.Engine(t, "here/web/1")
	c := w.claim(t, e, "ids", 0)
	if _, err := e.Claim(w.context(t), "ids", 0); !errors.Is(err, lease.ErrTaken) {
		t.Fatalf("a second claim in one engine: %v", err)
	}
	if _, err := e.ClaimAny(w.context(t), "ids", lease.Only(0), 0, 0, 0); !errors.Is(err, lease.ErrFull) {
		t.Fatalf("a second claim of any in one engine: %v", err)
	}
	w.release(t, c)
	w.claim(t, e, "ids", 0)
}

// Preferred places come first, all of a range are given, and no more.
func anyPlace(t *testing.T, w World) {
	es := w.engines(t, 2)
	among := lease.Range{First: 10, Last: 29}
	seen := map[int]bool{}
	var last lease.Claim
	claim := func(e lease.Engine, prefer ...int) int {
		t.Helper()
		c, err := e.ClaimAny(w.context(t), "ids", among, prefer...)
		if err != nil {
			t.Fatal(err)
		}
		check(t, c, "ids", among)
		if seen[c.Place()] {
			t.Fatalf("place %d was given twice", c.Place())
		}
		seen[c.Place()] = true
		last = c
		return c.Place()
	}
	if got := claim(es[0], 9, 17, 12); got != 17 {
		t.Errorf("preferred 9 (outside) and 17, got %d", got)
	}
	if got := claim(es[1], 17, 12); got != 12 {
		t.Errorf("preferred 17 (taken) and 12, got %d", got)
	}
	for i := range among.Len() - 2 {
		claim(es[i%2])
	}
	for _, e := range es {
		_, err := e.ClaimAny(w.context(t), "ids", among, 17)
		if !errors.Is(err, lease.ErrFull) || !strings.Contains(err.Error(), "places 10-29 of ids") {
			t.Fatalf("a full range: %v", err)
		}
	}
	back := last.Place()
	w.release(t, last)
	delete(seen, back)
	if got := claim(es[0]); got != back {
		t.Errorf("the only free place was %d, got %d", back, got)
	}
}

// What has one name has nothing to do with another.
func names(t *testing.T, w World) {
	es := w.engines(t, 2)
	w.claim(t, es[0], "web.ids", 0)
	w.claim(t, es[1], "web", 0)
	w.claim(t, es[1], "web.ids2", 0)
	w.claim(t, es[1], "web-ids", 0)
	if hs := w.holders(t, es[1], "web"); len(hs) != 1 {
		t.Errorf("holders of web: %+v", hs)
	}
}

// A list says who has what, also after a change, and has none who left.
func holders(t *testing.T, w World) {
	es := w.engines(t, 2)
	if hs := w.holders(t, es[0], "turns"); len(hs) != 0 {
		t.Errorf("holders of nothing: %+v", hs)
	}
	late := w.claim(t, es[1], "turns", 7)
	early := w.claim(t, es[0], "turns", 2)
	gone := w.claim(t, es[0], "turns", 5)
	if err := late.SetValue(w.context(t), "generation 4, 3 of 8"); err != nil {
		t.Fatal(err)
	}
	if err := gone.SetValue(w.context(t), "generation 3"); err != nil {
		t.Fatal(err)
	}
	w.release(t, gone)
	if err := gone.SetValue(w.context(t), "still here"); err == nil {
		t.Error("a value can be set after a release")
	}
	want := []lease.Holder{
		{Place: 2, Fence: early.Fence(), Who: "host0/web/100"},
		{Place: 7, Fence: late.Fence(), Who: "host1/web/101", Value: "generation 4, 3 of 8"},
	}
	for i, e := range es {
		hs := w.holders(t, e, "turns")
		if len(hs) != 2 || hs[0] != want[0] || hs[1] != want[1] {
			t.Errorf("engine %d sees %+v, not %+v", i, hs, want)
		}
	}
	if err := late.SetValue(w.context(t), ""); err != nil {
		t.Fatal(err)
	}
	if hs := w.holders(t, es[0], "turns"); hs[1].Value != "" {
		t.Errorf("the value was taken back, and is %q", hs[1].Value)
	}
	w.release(t, late)
	again := w.claim(t, es[0], "turns", 7)
	if hs := w.holders(t, es[1], "turns"); len(hs) != 2 || hs[1] != (lease.Holder{Place: 7, Fence: again.Fence(), Who: "host0/web/100"}) {
		t.Errorf("after a change: %+v", hs)
	}
}
