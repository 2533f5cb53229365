package machine

import "time"

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
		Settle: time.Second, Grace: 30 * time.Second, DumpGap: 2 * time.Second, Trace: 2 * time.Second, RecycleGap: 30 * time.Second,
		Backoff: Backoff{Base: time.Second, Max: 30 * time.Second, StableAfter: stableAge, RecycleAge: recycleAge},
	}
	for _, f := range change {
		f(&spec)
	}
	return spec
}

func stopFirst(s *Spec)   { s.Order = StopFirst }
func leader(s *Spec)      { s.Leader = true }
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
func noTrace(s *Spec)     { s.Trace = 0 }
func noGap(s *Spec)       { s.RecycleGap = 0 }
func claims(s *Spec)      { s.Claims = true }
func turns(s *Spec)       { s.Turns = true }
func keepIDs(s *Spec)     { s.KeepIDs = true }
func otherIDs(s *Spec)    { s.FirstID, s.LastID = s.FirstID+2, s.LastID+2 }

// shortScenarios are searched by every run of the tests. The small ones come first: there most bugs are found.
func shortScenarios() []scenario {
	return []scenario{
		{"one that leads", pool(1, 1, 0, claims, keepIDs, leader, noSettle), budget{total: 3, crashes: 2, losses: 1, strays: 1, rolls: 1, scales: 1, stops: 1}, nil},
		{"two that keep their ids", pool(2, 1, 0, claims, keepIDs, noSettle, spareID), budget{total: 2, crashes: 1, losses: 2, others: 1, rolls: 1}, nil},
		{"one takes turns", pool(1, 1, 0, claims, turns, noSettle), budget{total: 4, crashes: 1, losses: 1, strays: 1, rolls: 2, changes: 1, aborts: 1, stops: 1}, []Spec{pool(1, 1, 0, claims, noSettle)}},
		{"two take turns", pool(2, 1, 0, claims, turns, noSettle), budget{total: 3, crashes: 1, losses: 1, rolls: 2, aborts: 1}, nil},
		{"two, and one leads", pool(2, 1, 0, claims, leader, noSettle, noTrace), budget{total: 2, unfits: 2, losses: 1}, nil},
		{"two with claims", pool(2, 1, 0, claims, noSettle), budget{total: 2, crashes: 2, losses: 1, rolls: 1, scales: 1}, nil},
		{"two prove themselves stop-first", pool(2, 0, 1, stopFirst, minReady, noSettle), budget{total: 2, crashes: 1, leaves: 1, unfits: 1, rolls: 1, aborts: 1}, nil},
		{"one is recycled stop-first", pool(1, 0, 1, stopFirst, noGap), budget{total: 4, crashes: 2, leaves: 1, unfits: 1, dues: 2, rolls: 1, scales: 1, stops: 1}, nil},
		{"one with claims", pool(1, 1, 0, claims, spareID), budget{total: 3, crashes: 2, losses: 2, others: 1, strays: 1, rolls: 1, stops: 1}, nil},
		{"two change", pool(2, 1, 0), budget{total: 2, crashes: 1, changes: 2, aborts: 1, stops: 1}, []Spec{
			pool(1, 1, 0, otherIDs), pool(2, 0, 1, stopFirst, noSettle),
		}},
		{"one becomes another", pool(1, 1, 0), budget{total: 4, crashes: 2, leaves: 1, changes: 1}, []Spec{
			pool(1, 1, 1, stopFirst), pool(1, 1, 0, onFailure),
		}},
		{"two with a leader", pool(2, 1, 0, leader, noGap), budget{total: 3, crashes: 1, leaves: 1, unfits: 1, dues: 1, rolls: 2, aborts: 1}, []Spec{pool(2, 1, 0)}},
		{"one becomes a leader", pool(1, 1, 0), budget{total: 4, crashes: 1, lates: 1, rolls: 1, changes: 2, aborts: 2, scales: 1}, []Spec{pool(1, 1, 0, leader)}},
		{"two reload by rolling", pool(2, 1, 0, alwaysRolls, noSettle), budget{total: 3, crashes: 1, reloads: 2, dumps: 1, stops: 1}, nil},
		{"two prove themselves", pool(2, 2, 0, canary, minReady), budget{total: 2, crashes: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, aborts: 1}, nil},
		{"two ill stop-first", pool(2, 0, 1, stopFirst, once, minReady), budget{total: 3, crashes: 1, rolls: 1, unfits: 2, terms: 2}, nil},
		{"one ends", pool(1, 1, 0, onFailure, minReady), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, changes: 1, terms: 1}, []Spec{pool(1, 1, 0, once)}},
		{"two reload by signal", pool(2, 1, 1, bySignal, noSettle, minReady), budget{total: 3, crashes: 1, rolls: 1, reloads: 2, dumps: 2, terms: 1}, nil},
		{"two abort", pool(2, 1, 0, spareID), budget{total: 4, rolls: 3, scales: 1, aborts: 2}, nil},
		{"one changes", pool(1, 1, 0), budget{total: 3, crashes: 1, lates: 1, rolls: 1, scales: 1, changes: 2, aborts: 1}, []Spec{
			pool(2, 1, 0, otherIDs, noTimeout), pool(1, 0, 1, stopFirst, noSettle, minReady),
		}},
		{"three, and one is recycled", pool(3, 2, 0, noSettle, noTimeout), budget{total: 2, dues: 1, rolls: 1}, nil},
		{"two are recycled", pool(2, 1, 0), budget{total: 3, crashes: 1, unfits: 1, dues: 2, rolls: 1, stops: 1}, nil},
		{"one gives up", pool(1, 1, 0, givesUpAt2, noTimeout), budget{total: 4, crashes: 3, remains: 1, leaves: 1, rolls: 1, stops: 1, terms: 4}, nil},
		{"one falls ill", pool(1, 1, 0, givesUpAt2, noTrace), budget{total: 4, crashes: 1, remains: 1, leaves: 1, unfits: 4, reloads: 1, dumps: 1, stops: 1}, nil},
		{"two reload", pool(2, 1, 0), budget{total: 3, crashes: 1, rolls: 1, reloads: 2, dumps: 2, terms: 1}, nil},
		{"two scaled", pool(2, 1, 0, spareID), budget{total: 3, crashes: 2, remains: 2, scales: 2}, nil},
		{"two stop-first", pool(2, 0, 1, stopFirst), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, terms: 4}, nil},
		{"two fall ill", pool(2, 1, 0, noTrace, onFailure), budget{total: 3, crashes: 1, leaves: 1, rolls: 1, unfits: 3, scales: 1}, nil},
		{"two stop late", pool(2, 1, 0, stopDelay, minReady), budget{total: 2, crashes: 1, leaves: 1, rolls: 1, scales: 1, stops: 1, terms: 4}, nil},
		{"two run once", pool(2, 1, 0, once, canary), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 1, scales: 1, changes: 1, aborts: 1}, []Spec{pool(2, 1, 0)}},
		{"one is recycled", pool(1, 1, 0, onFailure), budget{total: 4, crashes: 2, remains: 1, leaves: 1, lates: 1, unfits: 2, dues: 2, rolls: 1, scales: 1}, nil},
		{"two abort and fall ill", pool(2, 1, 0), budget{total: 4, rolls: 2, aborts: 1, unfits: 1}, nil},
		{"two", pool(2, 1, 0), budget{total: 3, crashes: 1, lates: 1, rolls: 2, terms: 4}, nil},
		{"one", pool(1, 1, 0, spareID), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, terms: 4}, nil},
	}
}

// fullScenarios are searched by make model. Worlds that stop outnumber worlds that serve by far, so the deepest
// scenarios never stop.
func fullScenarios() []scenario {
	return append([]scenario{
		{"four serve", pool(4, 1, 0), budget{total: 3, crashes: 1, lates: 1, rolls: 2, scales: 1}, nil},
		{"four stop-first serve", pool(4, 0, 1, stopFirst), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 2}, nil},
		{"three serve", pool(3, 1, 0), budget{total: 3, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"three settle 0 serve", pool(3, 1, 0, noSettle), budget{total: 3, crashes: 2, remains: 1, leaves: 1, rolls: 2, scales: 1}, nil},
		{"three surge 2 serve", pool(3, 2, 1, spareID), budget{total: 2, crashes: 2, remains: 1, leaves: 1, lates: 1, rolls: 2, scales: 2}, nil},
		{"two serve", pool(2, 1, 0, spareID), budget{total: 3, crashes: 3, remains: 1, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"two stop-first surge 1 serve", pool(2, 1, 1, stopFirst), budget{total: 4, crashes: 3, remains: 2, leaves: 1, lates: 1, rolls: 3, scales: 2}, nil},
		{"one serve", pool(1, 1, 0, spareID), budget{total: 4, crashes: 3, remains: 1, leaves: 1, lates: 1, rolls: 3, reloads: 1, scales: 2, dumps: 1}, nil},
		{"three change serve", pool(3, 1, 0), budget{total: 2, crashes: 1, lates: 1, rolls: 1, scales: 1, changes: 2, aborts: 1}, []Spec{
			pool(2, 2, 0, otherIDs, noTimeout), pool(3, 0, 1, stopFirst, noSettle, minReady),
		}},
		{"two change serve", pool(2, 1, 0, spareID), budget{total: 3, crashes: 1, leaves: 1, lates: 1, rolls: 1, scales: 1, changes: 2, aborts: 1}, []Spec{
			pool(1, 1, 0, otherIDs, noSettle), pool(2, 1, 1, stopFirst, onFailure),
		}},
		{"three by percent serve", pool(3, 0, 0, percent(50, 34), minReady), budget{total: 2, crashes: 1, rolls: 1, scales: 1, aborts: 1}, nil},
		{"three prove themselves serve", pool(3, 2, 1, canary, minReady), budget{total: 2, crashes: 1, leaves: 1, lates: 1, rolls: 2, scales: 1, aborts: 1}, nil},
		{"two end serve", pool(2, 1, 0, onFailure, minReady), budget{total: 3, crashes: 2, remains: 1, leaves: 1, rolls: 1, changes: 1, aborts: 1}, []Spec{pool(2, 1, 0, once)}},
		{"three fall ill serve", pool(3, 1, 1, minReady), budget{total: 3, crashes: 1, rolls: 1, unfits: 3, scales: 1, aborts: 1}, nil},
		{"two are recycled serve", pool(2, 1, 0), budget{total: 4, crashes: 1, unfits: 1, dues: 2, rolls: 2, aborts: 1}, nil},
		{"two stop-first ill serve", pool(2, 0, 1, stopFirst, noSettle), budget{total: 4, crashes: 1, remains: 1, leaves: 1, unfits: 3, dues: 2, rolls: 1, scales: 1}, nil},
		{"three are recycled serve", pool(3, 1, 0, noGap), budget{total: 2, crashes: 1, unfits: 1, dues: 2, rolls: 1}, nil},
		{"two that lead serve", pool(2, 1, 0, claims, leader, canary), budget{total: 3, crashes: 1, losses: 1, rolls: 2, aborts: 1}, nil},
		{"three with claims serve", pool(3, 1, 1, claims, spareID), budget{total: 2, crashes: 1, losses: 1, others: 1, strays: 1, rolls: 1, scales: 1}, nil},
		{"two stop late stop", pool(2, 1, 0, stopDelay, noSettle), budget{total: 2, crashes: 1, remains: 1, leaves: 1, rolls: 1, stops: 1, terms: 4}, nil},
		{"four stop", pool(4, 1, 0), budget{total: 2, crashes: 1, rolls: 1, terms: 1}, nil},
		{"three stop-first stop", pool(3, 0, 1, stopFirst), budget{total: 2, crashes: 1, remains: 1, leaves: 1, rolls: 1, terms: 4}, nil},
		{"two surge 2 stop", pool(2, 2, 0, spareID), budget{total: 2, crashes: 1, leaves: 1, rolls: 1, stops: 1, terms: 4}, nil},
		{"one gives up stop", pool(1, 1, 0, spareID, givesUpAt2), budget{total: 3, crashes: 3, remains: 1, leaves: 1, lates: 1, rolls: 1, scales: 1, stops: 1, terms: 4}, nil},
	}, shortScenarios()...)
}
