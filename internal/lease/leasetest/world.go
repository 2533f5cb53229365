package leasetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// World is one store of places and the engines that share it.
type World struct {
	// Engine is another one on the same store, as of another supervisor. The world ends it with the test.
	Engine func(t *testing.T, who string) lease.Engine

	// Kill ends an engine as the death of its process would.
	Kill func(t *testing.T, engine lease.Engine)

	// Upgrade goes on with the session of an engine in another one, as after an exec.
	Upgrade func(t *testing.T, engine lease.Engine, who string) lease.Engine

	// Cooldown is how long the places of a killed engine stay taken at least. 0 where they are free at once.
	Cooldown time.Duration

	// Patience is longer than everything that is waited for.
	Patience time.Duration
}

// Setup calls the body with a fresh World, in a bubble of virtual time or not.
type Setup func(t *testing.T, body func(t *testing.T, w World))

// Run tries all of the contract.
func Run(t *testing.T, setup Setup) {
	for _, c := range []struct {
		name string
		try  func(*testing.T, World)
	}{
		{"claim", claims},
		{"taken by itself", takenByItself},
		{"any place", anyPlace},
		{"nobody gets a place twice", nobodyTwice},
		{"one leader at a time", oneLeader},
		{"holders", holders},
		{"names are apart", names},
		{"wait for a release", waits},
		{"many wait", manyWait},
		{"killed holder", killed},
		{"adopt", adopts},
		{"closed", closed},
		{"mistakes", mistakes},
		{"given up", givenUp},
		{"memo", memo},
		{"memo of many", memoOfMany},
		{"wait for a memo", awaitMemo},
	} {
		t.Run(c.name, func(t *testing.T) { setup(t, c.try) })
	}
}

func (w World) context(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), w.Patience)
	t.Cleanup(cancel)
	return ctx
}

func (w World) claim(t *testing.T, e lease.Engine, name string, place int) lease.Claim {
	t.Helper()
	c, err := e.Claim(w.context(t), name, place)
	if err != nil {
		t.Fatal(err)
	}
	check(t, c, name, lease.Only(place))
	return c
}

func check(t *testing.T, c lease.Claim, name string, among lease.Range) {
	t.Helper()
	if c.Name() != name || !among.Contains(c.Place()) || c.Fence() == 0 {
		t.Fatalf("claimed place %d of %s with fence %d, not one of %v of %s", c.Place(), c.Name(), c.Fence(), among, name)
	}
	if s := c.Saved(); s.Name != name || s.Place != c.Place() || s.Fence != c.Fence() {
		t.Fatalf("the claim of place %d of %s is saved as %+v", c.Place(), name, s)
	}
	select {
	case <-c.Lost():
		t.Fatalf("the claim of place %d of %s is lost from the beginning", c.Place(), name)
	default:
	}
}

func (w World) release(t *testing.T, c lease.Claim) {
	t.Helper()
	if err := c.Release(w.context(t)); err != nil {
		t.Fatal(err)
	}
}

func (w World) holders(t *testing.T, e lease.Engine, name string) []lease.Holder {
	t.Helper()
	hs, err := e.Holders(w.context(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return hs
}

// engines are n of them.
func (w World) engines(t *testing.T, n int) []lease.Engine {
	t.Helper()
	var all []lease.Engine
	for i := range n {
		all = append(all, w.Engine(t, fmt.Sprintf("host%d/web/%d", i, 100+i)))
	}
	return all
}
