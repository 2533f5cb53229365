package supervisor

import (
	"cmp"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// publishShare bounds what snapshots cost: one of a thousand workers takes longer than starting one of them, so while
// much happens they are made at most so much of the time.
const publishShare = 20 // one part in

// press is when the next snapshot is made.
type press struct {
	stale   bool      // the present one does not say any more how it is
	after   time.Time // the next one is not made before
	waiting bool      // a timer will see to it
}

// note takes note of a message that may change what can be seen. Those that come again and again while nothing happens
// change something only if a pool takes a step, or shows that it has changed; see changed and figures.
func (p *press) note(msg message) {
	switch msg.(type) {
	case told, roundDue, roundSeen, loadDue, loadSeen, publishDue, watchdogDue:
	default:
		p.stale = true
	}
}

// changed takes note that the pool does not look any more as the snapshot says.
func (p *pool) changed() { p.sup.press.stale = true }

// figures are what changes of a pool while it is only looked at.
type figures struct {
	repairs Repairs
	load    AutoscaleView
}

func (p *pool) figures() figures {
	f := figures{repairs: p.repairs}
	if v := p.viewAutoscale(); v != nil {
		f.load = *v
	}
	return f
}

func (s *Supervisor) isStale() bool {
	return s.press.stale || slices.ContainsFunc(s.pools, func(p *pool) bool { return p.shown != p.figures() })
}

// publishSoon makes a state that has changed visible now, or soon if the last time is too short ago for what it cost. Who is
// answered must find what the answer says.
func (s *Supervisor) publishSoon() {
	begin := time.Now()
	if stale := s.isStale(); !stale || len(s.answers) > 0 {
		if stale {
			s.publish()
		}
		s.answer()
		return
	}
	if wait := s.press.after.Sub(begin); wait > 0 {
		if !s.press.waiting {
			s.press.waiting = true
			time.AfterFunc(wait, func() { s.mail.post(publishDue{}) })
		}
		return
	}
	s.publish()
	s.press.after = begin.Add(publishShare * time.Since(begin))
}

// answer gives the answers that waited for a snapshot.
func (s *Supervisor) answer() {
	for _, give := range s.answers {
		give()
	}
	s.answers = nil
}

// Changed returns a channel that is closed when a newer snapshot than the present one can be had.
func (s *Supervisor) Changed() <-chan struct{} { return *s.changed.Load() }

// publish makes the state as it is now visible to readers and to systemd.
func (s *Supervisor) publish() {
	snap := &Snapshot{Name: s.cfg.Name, Version: s.cfg.Version, PID: os.Getpid(), Started: s.begun, Config: s.config}
	for _, p := range s.pools {
		p.attendFleet()
		snap.Pools = append(snap.Pools, p.view())
		p.shown = p.figures()
	}
	s.press.stale = false
	snap.State = s.state(snap)
	s.tellStates(s.snapshot.Swap(snap), snap)
	next := make(chan struct{})
	if before := s.changed.Swap(&next); before != nil {
		close(*before)
	}
	s.systemd.follow(snap)
	s.extend()
}

func (s *Supervisor) state(snap *Snapshot) string {
	if !s.anyServing() {
		return StateStopping
	}
	for i := range snap.Pools {
		if p := &snap.Pools[i]; p.Ready+p.StandsBy < p.Desired {
			if s.wasReady {
				return StateDegraded
			}
			return StateStarting
		}
	}
	if !s.wasReady {
		s.wasReady = true
		s.endRush()
	}
	return StateReady
}

// rushGC is the garbage collector's target while the first workers start. Then the collector would take a fifth of the
// time, to save some megabytes for less than a second.
const rushGC = 400

// beginRush lets garbage lie until every slot has been ready once.
func (s *Supervisor) beginRush() { s.calmGC = debug.SetGCPercent(rushGC) }

// endRush gives back what the start left behind. From now on little happens, so nothing else would: that a supervisor
// costs little matters more than these milliseconds, beside the loop.
func (s *Supervisor) endRush() {
	debug.SetGCPercent(s.calmGC)
	s.goOn(debug.FreeOSMemory)
}

func (p *pool) view() PoolView {
	v := PoolView{
		Name: p.name, Phase: p.phase(),
		Generation: p.st.Generation, Desired: p.st.Spec.Workers, Ready: p.st.ReadySlots(),
		State: p.condition(), Deaths: maps.Clone(p.deaths), Repairs: p.repairs, Reloads: p.reloads,
		Listeners: []ListenerView{}, Workers: []WorkerView{},
	}
	if len(p.cfg().Requires) > 0 {
		v.Unmet = p.unmet
	}
	v.StandsBy, v.Claims, v.Fleet = p.st.StandingBy(), p.viewClaims(), p.viewFleet()
	if p.station == held && p.st.Phase == machine.Serving {
		v.WaitsFor = p.awaited()
	}
	v.Autoscale = p.viewAutoscale()
	for _, b := range p.slots {
		v.Restarts += b.restarts
	}
	if p.last != nil {
		r := *p.last
		if p.st.Rollout.Phase == machine.Reverting {
			r.State = machine.Reverting.String()
		}
		v.Rollout = &r
	}
	if why := p.awaitsTurn(); why != "" && p.st.Rollout.Phase != machine.Rolling {
		v.Rollout = &RolloutView{Generation: p.st.Rollout.Queued, State: stateWaiting, Reason: why}
	}
	for _, l := range p.listeners() {
		v.Listeners = append(v.Listeners, ListenerView{Name: l.Name(), Address: l.Address().String(), Mode: l.Mode().String(), from: l.Listener})
	}
	for i := range p.st.Slots {
		for side, w := range p.st.Slots[i].Workers {
			if w.Health != machine.Free {
				v.Workers = append(v.Workers, p.viewWorker(machine.Ref{Slot: i, Side: machine.Side(side), Inc: w.Inc}, w))
			}
		}
	}
	slices.SortStableFunc(v.Workers, func(a, b WorkerView) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), a.Started.Compare(b.Started))
	})
	return v
}

// condition is the state of one pool, in the words of the whole supervisor.
func (p *pool) condition() string {
	switch {
	case p.st.Phase != machine.Serving:
		return StateStopping
	case p.st.ReadySlots()+p.st.StandingBy() >= p.st.Spec.Workers:
		return StateReady
	case p.settled:
		return StateDegraded
	}
	return StateStarting
}

// phase is the machine's, or how far the pool has come before that.
func (p *pool) phase() string {
	if p.st.Phase == machine.Serving {
		switch p.station {
		case held:
			return "waiting"
		case preparing:
			return "preparing"
		case running:
		}
	}
	return p.st.Phase.String()
}

func (p *pool) viewWorker(ref machine.Ref, w machine.Worker) WorkerView {
	book := p.slot(ref.Slot)
	v := WorkerView{
		Slot: ref.Slot, State: w.Health.String(), Ready: w.Health.Serves(),
		Generation: w.Generation, Restarts: book.restarts, LastExit: book.lastExit, Side: ref.Side.String(),
		served: &book.requests,
	}
	if w.Health.HasProcess() {
		v.WorkerID = &w.ID
	}
	if rec := p.workers[ref]; rec != nil {
		v.Status, v.Health, v.group = rec.status, rec.wellness(), rec.group
		v.Leader = rec.edition.cfg.Spec.Leads(ref.Slot)
		v.Fence, v.LeaderFence = w.Fence, w.Lead
		v.seats, v.side = rec.edition.listeners, side(ref.Side)
		if rec.proc != nil {
			v.PID, v.Started = rec.proc.PID(), rec.born
		}
	}
	return v
}
