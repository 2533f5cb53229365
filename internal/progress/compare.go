package progress

import (
	"cmp"
	"slices"
	"strings"

	"github.com/broodctl/brood/supervisor"
)

// Compare returns what is different, pool by pool and slot by slot. States between the two snapshots are not known and not
// made up. It is a pure function.
func Compare(before, after supervisor.Snapshot) []Event {
	events, verdict := compareReloads(before.Config.Reload, after.Config.Reload)
	known := map[string]*supervisor.PoolView{}
	for i := range before.Pools {
		known[before.Pools[i].Name] = &before.Pools[i]
	}
	for i := range after.Pools {
		p := &after.Pools[i]
		old, ok := known[p.Name]
		if !ok {
			events = append(append(events, poolEvent(KindAdded, p)), compareWorkers(&supervisor.PoolView{}, p)...)
			continue
		}
		delete(known, p.Name)
		events = append(events, comparePools(old, p)...)
	}
	for i := range before.Pools {
		if p := &before.Pools[i]; known[p.Name] != nil {
			none := &supervisor.PoolView{Name: p.Name, Generation: p.Generation}
			events = append(append(events, compareWorkers(p, none)...), poolEvent(KindRemoved, none))
		}
	}
	return append(events, verdict...)
}

// compareReloads returns what comes before the news of the pools, and what comes behind.
func compareReloads(old, r *supervisor.ReloadView) (first, last []Event) {
	if r == nil || old != nil && old.State == r.State && old.At.Equal(r.At) {
		return nil, nil
	}
	reason := r.Error
	if strings.Count(reason, "\n") > 1 { // with lines of a file, for example; all of it is in the verdict
		reason, _, _ = strings.Cut(reason, "\n")
	}
	events := []Event{{Kind: KindReload, State: r.State, Reason: reason}}
	if r.State == reloadDone || r.State == reloadFailed {
		return nil, events
	}
	return events, nil
}

// comparePools puts what begins before the news of the workers, and what has ended behind it.
func comparePools(old, p *supervisor.PoolView) []Event {
	var events, last []Event
	if old.Phase != p.Phase {
		ev := poolEvent(KindPhase, p)
		ev.State = p.Phase
		events = append(events, ev)
	}
	if old.Desired != p.Desired {
		events = append(events, poolEvent(KindScale, p))
	}
	if r := p.Rollout; r != nil && isNews(old.Rollout, r) {
		ev := poolEvent(KindRollout, p)
		ev.Generation, ev.State, ev.Reason = r.Generation, r.State, r.Reason
		if old.Rollout != nil && old.Rollout.Generation == r.Generation {
			ev.From = old.Rollout.State
		}
		if underWay(p) {
			events = append(events, ev)
		} else {
			last = append(last, ev)
		}
	}
	// A rollout that stops workers first would say so at each turn, and it has an end of its own.
	if full(p) && !full(old) && !underWay(p) && !underWay(old) && p.Phase == phaseServing {
		last = append(last, poolEvent(KindReady, p))
	}
	return slices.Concat(events, compareWorkers(old, p), last)
}

// isNews reports whether a rollout came to another state, or waits for something else.
func isNews(old, r *supervisor.RolloutView) bool {
	return old == nil || old.Generation != r.Generation || old.State != r.State || r.State == rolloutWaiting && old.Reason != r.Reason
}

// place is where a worker is. While a slot is replaced, both its sides are taken.
type place struct {
	slot int
	side string
}

func compareWorkers(old, p *supervisor.PoolView) []Event {
	var events []Event
	before := map[place]*supervisor.WorkerView{}
	for i := range old.Workers {
		before[place{old.Workers[i].Slot, old.Workers[i].Side}] = &old.Workers[i]
	}
	endings := map[int]string{} // how the last worker of each slot ended
	for i := range p.Workers {
		endings[p.Workers[i].Slot] = p.Workers[i].LastExit
	}
	for i := range p.Workers {
		w := &p.Workers[i]
		at := place{w.Slot, w.Side}
		was := before[at]
		delete(before, at)
		if was != nil && !same(was, w) {
			events = appendGone(events, p, was, endings)
			was = nil
		}
		events = appendWorker(events, p, was, w)
	}
	for i := range old.Workers {
		if w := &old.Workers[i]; before[place{w.Slot, w.Side}] != nil {
			events = appendGone(events, p, w, endings)
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.order(), b.order()))
	})
	return events
}

// order puts a departure behind what it follows from.
func (e *Event) order() int {
	if leaving(e.State) {
		return 1
	}
	return 0
}

// same reports whether the worker that is in a place is the one that was. One that waits becomes the one that starts.
func same(was, is *supervisor.WorkerView) bool {
	return was.PID == 0 || was.PID == is.PID && was.Started.Equal(is.Started)
}

func appendWorker(events []Event, p *supervisor.PoolView, was, w *supervisor.WorkerView) []Event {
	forking := w.State == stateStarting && w.PID == 0
	news := was == nil || was.State != w.State || was.PID != w.PID
	if forking || !news {
		return events // a start is told when it has a pid, a moment later
	}
	ev := Event{
		Kind: KindWorker, Pool: p.Name, Slot: w.Slot, PID: w.PID, Generation: w.Generation, State: w.State,
		Old: w.Generation < goal(p),
	}
	if was != nil && was.State != w.State {
		ev.From = was.State
	}
	switch w.State {
	case stateWaiting:
		ev.Reason = w.LastExit
	case stateUnready, stateFailing:
		ev.Reason = w.Health
	}
	return append(events, ev)
}

func appendGone(events []Event, p *supervisor.PoolView, w *supervisor.WorkerView, endings map[int]string) []Event {
	if w.PID == 0 {
		return events // there was nobody
	}
	return append(events, Event{
		Kind: KindGone, Pool: p.Name, Slot: w.Slot, PID: w.PID, Generation: w.Generation, From: w.State,
		Old: w.Generation < goal(p), Reason: endings[w.Slot],
	})
}

func poolEvent(kind Kind, p *supervisor.PoolView) Event {
	return Event{Kind: kind, Pool: p.Name, Done: done(p), Total: p.Desired, Generation: goal(p)}
}
