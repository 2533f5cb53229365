package memory_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/memory"
	"github.com/broodctl/brood/internal/lease/remote"
)

// These are the defaults.
const (
	leaseTime = 10 * time.Second
	margin    = time.Second
	cooldown  = leaseTime + margin
)

// A holder that is cut off is told at its deadline, which counts from before its last renewal was sent; somebody else is
// given the place later; and when it is joined again it can claim, in another session.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		mine := a.claim(t, 0)
		pass(time.Minute)
		renewed, at := a.told(lease.Renewed)
		if slack := at + leaseTime - margin - renewed.Session.Deadline; slack < 2*time.Millisecond || slack > 3*time.Millisecond {
			t.Fatalf("the deadline is %v after its confirmation, which took 2ms: not counted from when it was sent", renewed.Session.Deadline-at)
		}
		a.way.Cut()
		next, err := lease.Acquire(t.Context(), b, "ids", lease.Only(0))
		if err != nil {
			t.Fatal(err)
		}
		given := s.Clock().Now()
		lost, at := a.told(lease.Lost)
		last, _ := a.told(lease.Renewed)
		select {
		case <-mine.Lost():
		default:
			t.Fatal("the holder does not know that its claim is lost")
		}
		if lost.Err == nil || at != last.Session.Deadline {
			t.Errorf("told at %v, the deadline was %v: %v", at, last.Session.Deadline, lost.Err)
		}
		if given < last.Session.Deadline+cooldown || given > last.Session.Deadline+cooldown+3*time.Second {
			t.Errorf("given again %v after the deadline, the cooldown is %v", given-last.Session.Deadline, cooldown)
		}
		if next.Fence() <= mine.Fence() {
			t.Errorf("fence %d after %d", next.Fence(), mine.Fence())
		}
		if _, err := a.Claim(t.Context(), "ids", 1); !errors.Is(err, lease.ErrUnavailable) {
			t.Errorf("claimed without a session: %v", err)
		}
		a.way.Join()
		a.claim(t, 1)
		if began, _ := a.told(lease.Began); began.Session.ID == lost.Session.ID || a.Session().ID == 0 {
			t.Errorf("after %+v the session is %+v", lost.Session, a.Session())
		}
		if err := mine.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		taken(t, a, 0)
	})
}

// Where the store ends a session before its time, nobody is given its places before the holder has noticed.
func TestEndedTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		a.claim(t, 0)
		pass(time.Minute)
		if err := s.Client().Revoke(t.Context(), a.Session().ID); err != nil {
			t.Fatal(err)
		}
		deadline := a.Session().Deadline
		taken(t, b, 0)
		if _, err := lease.Acquire(t.Context(), b, "ids", lease.Only(0)); err != nil {
			t.Fatal(err)
		}
		given := s.Clock().Now()
		lost, at := a.told(lease.Lost)
		if lost.Err == nil || at >= given || given < deadline {
			t.Errorf("noticed at %v, given again at %v, the deadline was %v: %v", at, given, deadline, lost.Err)
		}
	})
}

// Who lost a place himself can have it again without a cooldown, with a new fence, unless somebody had it since.
func TestClaimedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		first, other := a.claim(t, 0), a.claim(t, 1)
		a.way.Cut()
		<-first.Lost()
		pass(2 * time.Second)
		a.way.Join()
		taken(t, b, 0)
		again := a.claim(t, 0)
		if again.Fence() <= first.Fence() {
			t.Errorf("fence %d after %d", again.Fence(), first.Fence())
		}
		if err := first.Release(t.Context()); err != nil { // of the claim that is gone
			t.Fatal(err)
		}
		taken(t, b, 0)
		// Who has stopped what used the place says so, and nobody waits for the cooldown.
		taken(t, b, 1)
		if err := other.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.claim(t, 1)
		taken(t, a, 1)
	})
}

// claimUnanswered gives the place 0, and 1 is claimed as well without an answer.
func claimUnanswered(t *testing.T, a *holder) lease.Claim {
	t.Helper()
	mine := a.claim(t, 0)
	cutOnTheWayBack(a.way)
	if _, err := a.Claim(t.Context(), "ids", 1); !errors.Is(err, lease.ErrUnavailable) {
		t.Fatalf("claimed without an answer: %v", err)
	}
	return mine
}

// What a request did without an answer is cleared up: a place that was taken is given back, one that was to be given
// back is.
func TestUnansweredRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		mine := claimUnanswered(t, a)
		taken(t, b, 1)
		if err := mine.Release(t.Context()); !errors.Is(err, lease.ErrUnavailable) {
			t.Fatalf("released without an answer: %v", err)
		}
		taken(t, b, 0)
		a.way.Join()
		for place := range 2 {
			if _, err := lease.Acquire(t.Context(), b, "ids", lease.Only(place)); err != nil {
				t.Fatal(err)
			}
		}
		if n, _ := a.told(lease.Lost); n.Kind != 0 {
			t.Errorf("the session was lost: %v", n.Err)
		}
		cutOnTheWayBack(a.way)
		if _, err := a.Claim(t.Context(), "ids", 2); !errors.Is(err, lease.ErrUnavailable) {
			t.Fatalf("claimed without an answer: %v", err)
		}
		a.way.Join()
		a.claim(t, 2) // what is in the way is our own
	})
}

// cutOnTheWayBack cuts what is asked next when the server has done it.
func cutOnTheWayBack(way *memory.Client) { time.AfterFunc(1500*time.Microsecond, way.Cut) }

// A program that goes on with a session whose time is over says so at once, and begins another.
func TestResumedTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a := newHolder(t, s, "a")
		saved := a.claim(t, 0).Saved()
		session := a.Session()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		lost := make(chan lease.Notice, 9)
		next := engine(t, s.Client(), remote.Config{Who: "a", Resume: remote.Saved{Session: session}, Notify: func(n lease.Notice) { lost <- n }})
		if n := <-lost; n.Kind != lease.Lost || n.Session != session {
			t.Fatalf("told %+v", n)
		}
		if n := <-lost; n.Kind != lease.Began || n.Session.ID == session.ID {
			t.Fatalf("told %+v", n)
		}
		gone, err := next.Adopt(t.Context(), saved, nil)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-gone.Lost():
		default:
			t.Error("what is gone was adopted as if it were held")
		}
		b := newHolder(t, s, "b")
		taken(t, b, 0)
		if err := gone.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.claim(t, 0)
	})
}

// What was taken or was to be given back without an answer is cleared up by the next program.
func TestSavedDebts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		mine := claimUnanswered(t, a)
		go mine.Release(t.Context())
		synctest.Wait() // it has been sent, and nothing comes back
		saved := a.Saved()
		if len(saved.Debts) != 3 { // of the release, what it has there by its fence, or by its session
			t.Fatalf("saved %+v", saved)
		}
		engine(t, s.Client(), remote.Config{Who: "a", Resume: saved})
		for place := range 2 {
			if _, err := lease.Acquire(t.Context(), b, "ids", lease.Only(place)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A program that goes on without a session has its places again, though they live on in the store.
func TestLostBeforeTheStoreKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a := newHolder(t, s, "a")
		claim := a.claim(t, 0)
		a.Close()
		saved := a.Saved()
		saved.Session = lease.Session{}
		next := engine(t, s.Client(), remote.Config{Who: "a", Resume: saved})
		if _, err := next.Adopt(t.Context(), claim.Saved(), nil); err != nil {
			t.Fatal(err)
		}
		again, err := next.Claim(t.Context(), "ids", 0)
		if err != nil || again.Fence() <= claim.Fence() {
			t.Fatalf("claimed again: %v, %v", again, err)
		}
	})
}

// Who waits for a full range learns when the store is there again: what is in his way is another thing then.
func TestWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		a.claim(t, 0)
		b.way.Cut()
		if _, err := b.Claim(t.Context(), "ids", 0); !errors.Is(err, lease.ErrUnavailable) {
			t.Fatal(err)
		}
		told := make(chan error, 1)
		go func() { told <- b.Wait(t.Context(), "ids", lease.Only(0)) }()
		pass(time.Minute)
		select {
		case err := <-told:
			t.Fatalf("told while the store is away: %v", err)
		default:
		}
		b.way.Join()
		if err := <-told; err != nil {
			t.Fatal(err)
		}
		taken(t, b, 0)
	})
}

// At rest an engine renews its session three times in a lease, whatever it holds and waits for.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		a, b := newHolder(t, s, "a"), newHolder(t, s, "b")
		for place := range 16 {
			a.claim(t, place)
		}
		go b.Wait(t.Context(), "ids", lease.Range{First: 0, Last: 15})
		pass(time.Second)
		before := s.Counts()
		pass(100 * leaseTime)
		after := s.Counts()
		if renewals, all := after.Renewals-before.Renewals, after.Requests()-before.Requests(); renewals != all || all < 590 || all > 610 {
			t.Errorf("%d requests in 100 leases of two engines, %d of them renewals", all, renewals)
		}
	})
}
