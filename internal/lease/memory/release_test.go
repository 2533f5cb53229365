package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// A place that was lost is claimed again, which takes three requests, while it is given back, and claimed by somebody else of
// the same engine: two claims never have it.
func TestReleaseWhileClaimedAgain(t *testing.T) {
	const latency = 2 * time.Millisecond // of the server
	for at := range 4 * latency / time.Millisecond {
		for later := range 4 * latency / time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				s := server(t)
				before := newHolder(t, s, "a")
				place := before.claim(t, 0)
				before.Close()
				saved := before.Saved()
				saved.Session = lease.Session{} // the store still has it
				a, b := engine(t, s.Client(), remote.Config{Who: "a", Resume: saved}), newHolder(t, s, "b")
				gone, err := a.Adopt(t.Context(), place.Saved(), nil)
				if err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				var found [2]lease.Claim
				ended := make(chan struct{})
				claim := func(i int) {
					c, err := a.Claim(t.Context(), "ids", 0)
					found[i] = c
					if err != nil && !errors.Is(err, lease.ErrTaken) {
						t.Error(err)
					}
					ended <- struct{}{}
				}
				go claim(0)
				go func() {
					pass(at*time.Millisecond + 10*time.Microsecond)
					if err := gone.Release(t.Context()); err != nil {
						t.Error(err)
					}
					ended <- struct{}{}
				}()
				go func() {
					pass(later*time.Millisecond + 20*time.Microsecond)
					claim(1)
				}()
				for range 3 {
					<-ended
				}
				if found[0] != nil && found[1] != nil {
					t.Fatalf("given back after %d ms and claimed after %d ms: two claims have it", at, later)
				}
				pass(time.Minute)
				if found[0] == nil && found[1] == nil {
					b.claim(t, 0)
					return
				}
				taken(t, b, 0)
			})
		}
	}
}

// Who gives a place back while somebody claims it in vain has given it back.
func TestReleaseWhileClaimedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		gone := a.claim(t, 0)
		a.way.Cut()
		<-gone.Lost()
		claiming, giveUp := context.WithCancel(t.Context())
		vain := make(chan error)
		go func() {
			_, err := a.Claim(claiming, "ids", 0)
			vain <- err
		}()
		synctest.Wait()
		released := make(chan error, 1)
		go func() { released <- gone.Release(t.Context()) }()
		synctest.Wait()
		giveUp()
		if err := <-vain; !errors.Is(err, context.Canceled) {
			t.Errorf("claimed: %v", err)
		}
		a.way.Join()
		if err := <-released; err != nil {
			t.Error(err)
		}
		pass(time.Minute)
		b.claim(t, 0)
	})
}
