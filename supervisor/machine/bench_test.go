package machine

import (
	"fmt"
	"testing"
	"time"
)

func benchSpec(workers int) Spec {
	return pool(workers, 1, 0, func(s *Spec) { s.LastID = 4 * workers })
}

// served is a pool with all its workers ready.
func served(workers int) State {
	st, acts := New(benchSpec(workers))
	for _, a := range acts {
		if start, ok := a.(Start); ok {
			st, _ = Step(st, BecameReady{Ref: start.Ref})
		}
	}
	return st
}

// BenchmarkNew is the decision to start all workers of a pool.
func BenchmarkNew(b *testing.B) {
	for _, workers := range []int{64, 1000} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			for b.Loop() {
				New(benchSpec(workers))
			}
		})
	}
}

// BenchmarkStep is one event in a pool that serves.
func BenchmarkStep(b *testing.B) {
	for _, workers := range []int{64, 1000} {
		st := served(workers)
		last := Ref{Slot: workers - 1, Side: A, Inc: st.Slots[workers-1].Workers[A].Inc}
		restarting, _ := Step(st, Died{Ref: last, Age: time.Second})
		again := restarting.Slots[workers-1].Workers[A].Inc
		rolling, _ := Step(st, RollRequested{})
		rolled := rolling.Slots[0].Workers[B].Inc
		for _, bench := range []struct {
			name string
			st   State
			ev   Event
		}{
			{"late", st, BecameReady{Ref: last}},
			{"died", st, Died{Ref: last, Age: time.Second}},
			{"ready", restarting, BecameReady{Ref: Ref{Slot: last.Slot, Side: A, Inc: again}}},
			{"rolled", rolling, BecameReady{Ref: Ref{Slot: 0, Side: B, Inc: rolled}}},
			{"term", st, TermReceived{}},
		} {
			b.Run(fmt.Sprintf("%s/%d", bench.name, workers), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Step(bench.st, bench.ev)
				}
			})
		}
	}
}

// BenchmarkMassDeath is all workers dying at once, one event each, with every replacement decided.
func BenchmarkMassDeath(b *testing.B) {
	for _, workers := range []int{64, 1000} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			st := served(workers)
			for b.Loop() {
				now := st
				for i := range st.Slots {
					now, _ = Step(now, Died{Ref: Ref{Slot: i, Side: A, Inc: st.Slots[i].Workers[A].Inc}, Age: time.Second})
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*workers), "µs/step")
		})
	}
}
