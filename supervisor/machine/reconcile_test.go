package machine

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Run("the first restart is immediate, the next one waits", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.crash(0, A)
		p.did(Obituary{Next: RestartNow})
		p.ready(0, A)
		p.crash(0, A)
		p.is("waiting")
		p.did(Obituary{Next: RestartLater})
		p.fires(BackoffTimer, 0, A)
		p.is("starting")
	})
	t.Run("a stable time starts the count anew", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		p.crash(0, A)
		p.ready(0, A)
		p.step(Died{Ref: p.ref(0, A), Age: stableAge})
		p.is("starting")
	})
	t.Run("long without being ready is not stable", func(t *testing.T) {
		p := begins(t, pool(1, 1, 0))
		p.crash(0, A)
		p.step(Died{Ref: p.ref(0, A), Age: stableAge})
		p.is("waiting")
	})
	t.Run("recycling is no failure, leaving young or unready is", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0))
		for range 5 {
			p.step(Died{Ref: p.ref(0, A), Clean: true, Age: recycleAge})
			p.is("starting")
			p.ready(0, A)
		}
		p.step(Died{Ref: p.ref(0, A), Clean: true, Age: recycleAge - 1})
		p.step(Died{Ref: p.ref(0, A), Clean: true, Age: recycleAge})
		p.is("waiting")
	})
	t.Run("giving up stops the pool with 1", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, givesUpAt2))
		p.crash(0, A)
		p.crash(0, A)
		p.is(" draining")
		p.did(GaveUp{Slot: 0, Failures: 2})
		p.ends(1, A)
		p.did(Exit{Code: 1})
	})
	t.Run("an incumbent that crashes while its successor starts is charged to nobody", func(t *testing.T) {
		p := serving(t, pool(1, 1, 0, givesUpAt2))
		p.crash(0, A)
		p.ready(0, A)
		p.roll()
		p.crash(0, A)
		p.is("|starting2")
		p.didNot(GaveUp{})
	})
}

func TestScale(t *testing.T) {
	t.Run("a slot that is scaled away drains, and its crash is nobody's failure", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(ScaleRequested{1})
		p.crash(1, A)
		p.is("ready")
		p.did(Obituary{Next: NotRestarted})
		p.did(Abandon{Place{1, A}})
	})
	t.Run("one that waits is forgotten", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.crash(1, A)
		p.crash(1, A)
		p.step(ScaleRequested{1})
		p.is("ready")
		p.did(StopTimer{})
	})
	t.Run("growing again takes back who was only steered away from", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0))
		p.step(ScaleRequested{1})
		p.is("ready settling")
		p.step(ScaleRequested{2})
		p.is("ready ready")
	})
	t.Run("growing again beside one that drains", func(t *testing.T) {
		p := serving(t, pool(2, 1, 0, noSettle))
		p.step(ScaleRequested{1})
		p.is("ready draining")
		p.step(ScaleRequested{2})
		p.is("ready draining|starting")
		p.did(Adopt{Place{1, A}})
	})
}

// A worker id is free when the last process of its group is reaped, not before.
func TestWorkerIDIsHeldUntilTheGroupIsGone(t *testing.T) {
	p := serving(t, pool(1, 1, 0))
	p.step(Died{Ref: p.ref(0, A), Remains: true})
	p.did(Start{Ref: Ref{0, B, 2}, ID: 1, Generation: 1})
	p.step(Died{Ref: p.ref(0, B), Remains: true})
	p.is("draining|draining")
	p.did(Obituary{Next: RestartWhen})
	p.fires(GraceTimer, 0, A)
	p.is("killed|draining")
	p.step(Gone{p.ref(0, A)})
	p.is("waiting|draining") // two failures
	p.fires(BackoffTimer, 0, A)
	p.did(Start{ID: 0 /* any */, Generation: 1})
}

// Slots that return from being scaled away may bring more processes than the wanted slots may have. One that waits does
// not start on top of them, but when there is room again.
func TestWaitingDoesNotStartWithoutRoom(t *testing.T) {
	p := serving(t, pool(4, 2, 0, noSettle, func(s *Spec) { s.LastID = 20 }))
	p.step(Died{Ref: p.ref(2, A), Remains: true})
	p.step(Died{Ref: p.ref(3, A), Remains: true})
	p.is("ready ready draining|starting draining|starting")
	p.step(ScaleRequested{2})
	p.crash(0, A)
	p.crash(0, A)
	p.step(Died{Ref: p.ref(1, A), Remains: true})
	p.is("waiting draining|starting draining|draining draining|draining")
	p.step(ScaleRequested{4})
	p.fires(BackoffTimer, 0, A)
	p.is(" draining|starting draining|draining draining|draining")
	p.step(Gone{p.ref(2, A)})
	p.is("waiting draining|starting |draining draining|draining")
	p.w.comesBack(t)
}

func TestDelay(t *testing.T) {
	b := Backoff{Base: time.Second, Max: 30 * time.Second, Seed: 42}
	for _, tt := range []struct {
		failures int
		most     time.Duration
	}{{0, 0}, {1, 0}, {2, time.Second}, {3, 2 * time.Second}, {6, 16 * time.Second}, {7, 30 * time.Second}, {1 << 40, 30 * time.Second}} {
		for inc := range uint64(100) {
			d := b.delay(tt.failures, inc)
			if d > tt.most || d < tt.most*3/4 {
				t.Errorf("delay(%d, %d) = %v, not within a quarter below %v", tt.failures, inc, d, tt.most)
			}
			if d != b.delay(tt.failures, inc) {
				t.Errorf("delay(%d, %d) is not a function", tt.failures, inc)
			}
		}
	}
	if b.delay(7, 1) == b.delay(7, 2) {
		t.Error("no jitter")
	}
	if d := (Backoff{}).delay(9, 1); d != 0 {
		t.Errorf("without a base the delay is %v", d)
	}
}
