package supervisor

import (
	"cmp"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// The states of the whole supervisor.
const (
	StateStarting = "starting" // not every slot has been ready yet
	StateReady    = "ready"    // every slot has a ready worker
	StateDegraded = "degraded" // some slot has none, after all had
	StateStopping = "stopping"
)

// stateFailed is the state of a rollout that failed; the others are the machine's words, and done.
const stateFailed = "failed"

// Snapshot is the published picture of a supervisor: the answer of the status API. It is never changed.
type Snapshot struct {
	Name    string     `json:"name"`
	Version string     `json:"version"`
	PID     int        `json:"pid"`
	State   string     `json:"state"`
	Started time.Time  `json:"started"`
	Pools   []PoolView `json:"pools"`
}

// PoolView is one pool in a snapshot.
type PoolView struct {
	Name       string         `json:"name"`
	Phase      string         `json:"phase"`
	Generation uint64         `json:"generation"`
	Desired    int            `json:"desired"`
	Ready      int            `json:"ready"` // slots that have a ready worker
	Restarts   int            `json:"restarts"`
	Rollout    *RolloutView   `json:"rollout"` // the one at hand, else the last one
	Listeners  []ListenerView `json:"listeners"`
	Workers    []WorkerView   `json:"workers"`
}

// RolloutView is the rollout at hand, or the last one.
type RolloutView struct {
	Generation uint64 `json:"generation"`
	State      string `json:"state"` // rolling, reverting, done, failed
	Reason     string `json:"reason,omitempty"`
}

// ListenerView is one address of a pool.
type ListenerView struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Mode    string `json:"mode"`
}

// WorkerView is one worker. A slot that is being replaced has two, one that waits has one without a pid.
type WorkerView struct {
	Slot       int       `json:"slot"`
	WorkerID   *int      `json:"worker_id"` // null while it has none
	PID        int       `json:"pid"`
	State      string    `json:"state"`
	Ready      bool      `json:"ready"`
	Generation uint64    `json:"generation"`
	Age        float64   `json:"age_seconds"`
	Restarts   int       `json:"restarts"`  // of the slot
	LastExit   string    `json:"last_exit"` // of the slot
	Status     string    `json:"status,omitempty"`
	Side       string    `json:"side"`
	Started    time.Time `json:"started,omitzero"`
}

// Snapshot returns the latest picture, with the ages as of now. It never waits for the loop.
func (s *Supervisor) Snapshot() Snapshot {
	snap := *s.snapshot.Load()
	snap.Pools = slices.Clone(snap.Pools)
	for i := range snap.Pools {
		workers := slices.Clone(snap.Pools[i].Workers)
		for j := range workers {
			if !workers[j].Started.IsZero() {
				workers[j].Age = time.Since(workers[j].Started).Seconds()
			}
		}
		snap.Pools[i].Workers = workers
	}
	return snap
}

// publish makes the state as it is now visible to readers and to systemd.
func (s *Supervisor) publish() {
	snap := &Snapshot{Name: s.cfg.Name, Version: s.cfg.Version, PID: os.Getpid(), Started: s.begun}
	for _, p := range s.pools {
		snap.Pools = append(snap.Pools, p.view())
	}
	snap.State = s.state(snap)
	s.snapshot.Store(snap)
	s.systemd.follow(snap)
}

func (s *Supervisor) state(snap *Snapshot) string {
	if !s.anyServing() {
		return StateStopping
	}
	for i := range snap.Pools {
		if snap.Pools[i].Ready < snap.Pools[i].Desired {
			if s.wasReady {
				return StateDegraded
			}
			return StateStarting
		}
	}
	if !s.wasReady {
		s.wasReady = true
		// The start of many workers leaves garbage of its size. From now on little happens, so nothing else would
		// give it back: that a supervisor costs little matters more than these milliseconds, beside the loop.
		s.goOn(debug.FreeOSMemory)
	}
	return StateReady
}

func (p *pool) view() PoolView {
	v := PoolView{
		Name: p.cfg.Name, Phase: p.st.Phase.String(),
		Generation: p.st.Generation, Desired: p.st.Spec.Workers, Ready: p.st.ReadySlots(),
		Listeners: []ListenerView{}, Workers: []WorkerView{},
	}
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
	for _, l := range p.cfg.Listeners {
		v.Listeners = append(v.Listeners, ListenerView{Name: l.Name(), Address: l.Address().String(), Mode: l.Mode().String()})
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

func (p *pool) viewWorker(ref machine.Ref, w machine.Worker) WorkerView {
	book := p.slot(ref.Slot)
	v := WorkerView{
		Slot: ref.Slot, State: w.Health.String(), Ready: w.Health == machine.Ready,
		Generation: w.Generation, Restarts: book.restarts, LastExit: book.lastExit, Side: ref.Side.String(),
	}
	if w.Health.HasProcess() {
		v.WorkerID = &w.ID
	}
	if rec := p.workers[ref]; rec != nil {
		v.Status = rec.status
		if rec.proc != nil {
			v.PID, v.Started = rec.proc.PID(), rec.proc.Started()
		}
	}
	return v
}

// Summary is the one line that systemctl status shows: "web 3/4 ready".
func (s *Snapshot) Summary() string {
	parts := make([]string, len(s.Pools))
	for i := range s.Pools {
		p := &s.Pools[i]
		parts[i] = fmt.Sprintf("%d/%d ready", p.Ready, p.Desired)
		if len(s.Pools) > 1 {
			parts[i] = p.Name + " " + parts[i]
		}
		if r := p.Rollout; r != nil && (r.State == machine.Rolling.String() || r.State == machine.Reverting.String()) {
			parts[i] += fmt.Sprintf(", %s generation %d", r.State, r.Generation)
		} else if r != nil && r.State == stateFailed {
			parts[i] += fmt.Sprintf(", rollout of generation %d failed: %s", r.Generation, oneLine(r.Reason))
		}
		if p.Phase == machine.Stopping.String() {
			parts[i] += fmt.Sprintf(", stopping: %d left", len(p.Workers))
		}
	}
	return strings.Join(parts, "; ")
}
