package fleet_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/memory"
	"github.com/broodctl/brood/internal/lease/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// town is a store and what supervisors do with it.
type town struct {
	t      *testing.T
	server *memory.Server
}

func inTown(t *testing.T, body func(*testing.T, *town)) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.NewServer(memory.Config{Latency: 2 * time.Millisecond})
		t.Cleanup(s.Stop)
		body(t, &town{t: t, server: s})
	})
}

func (w *town) fleet(who string, c fleet.Config) fleet.Fleet {
	w.t.Helper()
	e, err := w.server.Client().Engine(remote.Config{Who: who})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { e.Close() })
	c.Name = "web"
	return fleet.Fleet{Engine: e, Config: c}
}

// wait has somebody wait for a turn, and returns where it comes.
func (w *town) wait(f fleet.Fleet) <-chan lease.Claim {
	got := make(chan lease.Claim, 1)
	go func() {
		q := fleet.NewQueue(f)
		for {
			turn, err := q.Take(w.t.Context())
			if err == nil {
				got <- turn
				return
			}
			if err := q.Await(w.t.Context(), err); err != nil {
				return
			}
		}
	}()
	return got
}

// waits is nil as long as somebody waits.
func waits(got <-chan lease.Claim) lease.Claim {
	pass(time.Second)
	select {
	case turn := <-got:
		return turn
	default:
		return nil
	}
}

// pass lets virtual time go on.
func pass(d time.Duration) { <-time.After(d) }

func (w *town) release(turn lease.Claim) {
	w.t.Helper()
	if err := turn.Release(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) explain(f fleet.Fleet) string {
	w.t.Helper()
	q := fleet.NewQueue(f)
	turn, err := q.Take(w.t.Context())
	if err == nil {
		w.release(turn)
		return ""
	}
	return q.Explain(w.t.Context(), err)
}

func remark(who, why string, turn uint64) fleet.Remark {
	return fleet.Remark{Who: who, Why: why, At: time.Now(), Turn: turn}
}

func TestTurns(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		c := fleet.Config{MaxParallel: 1, StopAfter: 1}
		a, b := w.fleet("a on vm", c), w.fleet("b on vm", c)
		first := waits(w.wait(a))
		second := w.wait(b)
		if first == nil || waits(second) != nil {
			t.Fatalf("a has %v, and b does not wait", first)
		}
		if got := w.explain(b); got != "a on vm rolls" {
			t.Errorf("b is told %q", got)
		}
		w.release(first)
		turn := waits(second)
		if turn == nil {
			t.Fatal("a is through, and b has no turn")
		}
		if turn.Fence() <= first.Fence() {
			t.Errorf("fence %d after %d", turn.Fence(), first.Fence())
		}
	})
}

// After a failure nobody begins, also who waited for that very turn, until somebody resumes the fleet.
func TestFailureStopsAll(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		c := fleet.Config{MaxParallel: 1, StopAfter: 1}
		a, b := w.fleet("a on vm", c), w.fleet("b on vm", c)
		turn := waits(w.wait(a))
		waiting := w.wait(b)
		pass(time.Second)
		for range 2 { // the answer to the first was lost
			if _, err := a.Fail(t.Context(), remark("a on vm", "worker web.0 died", turn.Fence())); err != nil {
				t.Fatal(err)
			}
		}
		w.release(turn)
		if waits(waiting) != nil {
			t.Fatal("b rolls, although a failed")
		}
		const says = "the fleet web is stopped: rolling at a on vm failed: worker web.0 died"
		if got := w.explain(b); got != says {
			t.Errorf("b is told %q", got)
		}
		pass(24 * time.Hour)
		before, err := a.Resume(t.Context())
		if err != nil || before.Failures != 1 {
			t.Errorf("resumed after %+v: %v", before, err)
		}
		if waits(waiting) == nil {
			t.Error("the fleet was resumed, and b does not roll")
		}
	})
}

func TestPause(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		f := w.fleet("a on vm", fleet.Config{MaxParallel: 2, StopAfter: 2})
		if err := f.Pause(t.Context(), remark("root", "a holiday", 0)); err != nil {
			t.Fatal(err)
		}
		waiting := w.wait(f)
		if waits(waiting) != nil {
			t.Fatal("it rolls in a pause")
		}
		if got := w.explain(f); got != "the fleet web is paused by root: a holiday" {
			t.Errorf("told %q", got)
		}
		if _, err := f.Fail(t.Context(), remark("b", "no", 7)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waits(waiting) == nil {
			t.Error("resumed, and it waits")
		}
		for turn := range uint64(2) {
			if _, err := f.Fail(t.Context(), remark("b", "no", 8+turn)); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.explain(f); got != "the fleet web is stopped: 2 rollouts have failed, the last one at b: no" {
			t.Errorf("told %q", got)
		}
		never := f
		never.Config.StopAfter = 0
		if got := w.explain(never); got != "" {
			t.Errorf("who is never stopped is told %q", got)
		}
	})
}

// Of twenty members ten percent are two; a turn of who died is free after the cooldown.
func TestShareOfMembers(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		c := fleet.Config{ParallelPercent: 10, StopAfter: 1}
		var last fleet.Fleet
		for range 20 {
			last = w.fleet("somebody", c)
			name, among := last.Config.Members()
			if _, err := last.Engine.ClaimAny(t.Context(), name, among); err != nil {
				t.Fatal(err)
			}
		}
		mortal := w.fleet("a", c)
		if waits(w.wait(mortal)) == nil || waits(w.wait(last)) == nil {
			t.Fatal("two of twenty cannot roll at once")
		}
		third := w.wait(last)
		if waits(third) != nil {
			t.Fatal("three of twenty roll at once")
		}
		if v, err := last.View(t.Context()); err != nil || v.AtOnce != 2 || len(v.Members) != 20 || v.State != fleet.Open {
			t.Errorf("%+v, %v", v, err)
		}
		mortal.Engine.Close()
		if waits(third) != nil {
			t.Error("the turn of who died is given before the cooldown")
		}
		pass(time.Minute)
		if waits(third) == nil {
			t.Error("the turn of who died is lost")
		}
	})
}

// What cannot be read stops everybody, and says so; who resumes the fleet writes it anew.
func TestStrangeMemo(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		f := w.fleet("a on vm", fleet.Config{MaxParallel: 1, StopAfter: 1})
		if _, err := f.Engine.SetMemo(t.Context(), "web", "{what?", 0); err != nil {
			t.Fatal(err)
		}
		if got := w.explain(f); !strings.Contains(got, `it says "{what?"`) {
			t.Errorf("told %q", got)
		}
		if _, err := f.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.explain(f); got != "" {
			t.Errorf("after the resume: %q", got)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		f := w.fleet("a on vm", fleet.Config{MaxParallel: 1, StopAfter: 1})
		if err := f.Pause(t.Context(), remark("root", "", 0)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		q := fleet.NewQueue(f)
		if turn, err := q.Take(ctx); err == nil || turn != nil {
			t.Errorf("taken for nobody: %v, %v", turn, err)
		}
	})
}
