package machine

import (
	"flag"
	"testing"
	"time"
)

var modelSize = flag.String("model", "short", "which scenarios to search: short or full")

// scenario is a pool and what may happen to it.
type scenario struct {
	name string
	spec Spec
	left budget
	menu []Spec // what the specification may change to
}

// pool is a spec of small numbers. Durations mean nothing to the model but whether they are zero.
func pool(workers, surge, unavailable int, change ...func(*Spec)) Spec {
	spec := Spec{
		Workers: workers, MaxSurge: surge, MaxUnavailable: unavailable,
		LastID: workers + surge - 1, ReadyTimeout: 60 * time.Second,
		Settle: time.Second, Grace: 30 * time.Second, DumpGap: 2 * time.Second,
		Backoff: Backoff{Base: time.Second, Max: 30 * time.Second, StableAfter: stableAge, RecycleAge: recycleAge},
	}
	for _, f := range change {
		f(&spec)
	}
	return spec
}

func stopFirst(s *Spec)   { s.Order = StopFirst }
func noSettle(s *Spec)    { s.Settle = 0 }
func noTimeout(s *Spec)   { s.ReadyTimeout = 0 }
func spareID(s *Spec)     { s.LastID++ }
func givesUpAt2(s *Spec)  { s.Backoff.GiveUpAfter = 2 }
func bySignal(s *Spec)    { s.Reload = ReloadSignal }
func alwaysRolls(s *Spec) { s.Reload = ReloadRoll }
func minReady(s *Spec)    { s.MinReady = 5 * time.Second }
func canary(s *Spec)      { s.Canary = 10 * time.Second }
func stopDelay(s *Spec)   { s.StopDelay = 3 * time.Second }
func onFailure(s *Spec)   { s.Restart = RestartOnFailure }
func once(s *Spec)        { s.Restart = RestartNever }
func otherIDs(s *Spec)    { s.FirstID, s.LastID = s.FirstID+2, s.LastID+2 }

// shortScenarios are searched by every run of the tests.
func shortScenarios() []scenario {
	return []scenario{
		{"one", pool(1, 1, 0, spareID), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, terms: 4}, nil},
		{"two", pool(2, 1, 0), budget{total: 3, crashes: 1, lates: 1, rolls: 2, terms: 4}, nil},
		{"two stop-first", pool(2, 0, 1, stopFirst), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, terms: 4}, nil},
		{"one gives up", pool(1, 1, 0, givesUpAt2, noTimeout), budget{total: 4, crashes: 3, remains: 1, leaves: 1, rolls: 1, stops: 1, terms: 4}, nil},
		{"two scaled", pool(2, 1, 0, spareID), budget{total: 3, crashes: 2, remains: 2, scales: 2}, nil},
		{"two reload", pool(2, 1, 0), budget{total: 3, crashes: 1, rolls: 1, reloads: 2, dumps: 2, terms: 1}, nil},
		{"two reload by signal", pool(2, 1, 1, bySignal, noSettle), budget{total: 3, crashes: 1, rolls: 1, reloads: 2, dumps: 2, terms: 1}, nil},
		{"two reload by rolling", pool(2, 1, 0, alwaysRolls, noSettle), budget{total: 3, crashes: 1, reloads: 2, dumps: 1, stops: 1}, nil},
		{"one changes", pool(1, 1, 0), budget{total: 3, crashes: 1, lates: 1, rolls: 1, scales: 1, changes: 2, aborts: 1}, []Spec{
			pool(2, 1, 0, otherIDs, noTimeout), pool(1, 0, 1, stopFirst, noSettle, minReady),
		}},
		{"two change", pool(2, 1, 0), budget{total: 2, crashes: 1, changes: 2, aborts: 1, stops: 1}, []Spec{
			pool(1, 1, 0, otherIDs), pool(2, 0, 1, stopFirst, noSettle),
		}},
		{"two abort", pool(2, 1, 0, spareID), budget{total: 3, rolls: 2, scales: 1, aborts: 2}, nil},
		{"two prove themselves", pool(2, 2, 0, canary, minReady), budget{total: 2, crashes: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, aborts: 1}, nil},
		{"two prove themselves stop-first", pool(2, 0, 1, stopFirst, minReady, noSettle), budget{total: 2, crashes: 1, leaves: 1, rolls: 1, aborts: 1}, nil},
		{"two stop late", pool(2, 1, 0, stopDelay, minReady), budget{total: 2, crashes: 1, leaves: 1, rolls: 1, scales: 1, stops: 1, terms: 4}, nil},
		{"one ends", pool(1, 1, 0, onFailure, minReady), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, changes: 1, terms: 1}, []Spec{pool(1, 1, 0, once)}},
		{"two run once", pool(2, 1, 0, once, canary), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 1, scales: 1, changes: 1, aborts: 1}, []Spec{pool(2, 1, 0)}},
	}
}

// TestModel searches. What the short scenarios saw is what docs/states.md says.
func TestModel(t *testing.T) {
	scenarios := shortScenarios()
	if *modelSize == "full" {
		scenarios = fullScenarios()
	}
	searches := make([]*search, len(scenarios))
	ok := t.Run("search", func(t *testing.T) {
		for i, sc := range scenarios {
			searches[i] = newSearch(sc)
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				searches[i].report(t)
			})
		}
	})
	if !ok {
		return
	}
	states, steps, seen := 0, 0, &moveTable{}
	for i, s := range searches {
		states, steps = states+len(s.from), steps+s.steps
		if i >= len(searches)-len(shortScenarios()) {
			seen.add(s.seen)
		}
	}
	t.Logf("%d scenarios, %d states, %d steps", len(scenarios), states, steps)
	compareWithStatesPage(t, seen)
}

func (s *search) report(t *testing.T) {
	begun := time.Now()
	err := s.run()
	t.Logf("%9d states %10d steps %3d deep %6.2f s", len(s.from), s.steps, len(s.depth), time.Since(begun).Seconds())
	if err != nil {
		t.Fatal(err)
	}
	// What was searched is not needed any more, and it is much.
	s.index, s.helpful = nil, edges{}
}

// fullScenarios are searched by make model. Worlds that stop outnumber worlds that serve by far, so the deepest
// scenarios never stop.
func fullScenarios() []scenario {
	return append([]scenario{
		{"four serve", pool(4, 1, 0), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 2}, nil},
		{"four stop-first serve", pool(4, 0, 1, stopFirst), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 2}, nil},
		{"three serve", pool(3, 1, 0), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"three settle 0 serve", pool(3, 1, 0, noSettle), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"three surge 2 serve", pool(3, 2, 1, spareID), budget{total: 2, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 2}, nil},
		{"two serve", pool(2, 1, 0, spareID), budget{total: 4, crashes: 3, remains: 1, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"two stop-first surge 1 serve", pool(2, 1, 1, stopFirst), budget{total: 4, crashes: 3, remains: 2, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"one serve", pool(1, 1, 0, spareID), budget{total: 4, crashes: 3, remains: 1, leaves: 1, lates: 1, rolls: 3, reloads: 1, scales: 2, dumps: 1}, nil},
		{"four stop", pool(4, 1, 0), budget{total: 2, crashes: 1, rolls: 1, terms: 1}, nil},
		{"three stop-first stop", pool(3, 0, 1, stopFirst), budget{total: 2, crashes: 1, remains: 1, leaves: 1, rolls: 1, terms: 4}, nil},
		{"two surge 2 stop", pool(2, 2, 0, spareID), budget{total: 2, crashes: 1, leaves: 1, rolls: 1, stops: 1, terms: 4}, nil},
		{"one gives up stop", pool(1, 1, 0, spareID, givesUpAt2), budget{total: 3, crashes: 3, remains: 1, leaves: 1, lates: 1, rolls: 1, scales: 1, stops: 1, terms: 4}, nil},
	}, shortScenarios()...)
}
