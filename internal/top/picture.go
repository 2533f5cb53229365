package top

import (
	"fmt"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Picture is what the table shows, and what --once prints for programs. What was not measured is left out.
type Picture struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	Time    time.Time `json:"time"` // of the picture
	Why     string    `json:"why,omitempty"`
	Pools   []Pool    `json:"pools"`
}

// Figures are what was measured of a worker, or of all workers of a pool together.
type Figures struct {
	Queue       *uint64  `json:"queue,omitempty"`       // connections that wait
	CPU         *float64 `json:"cpu_percent,omitempty"` // of one CPU, between the last two measurements
	Memory      *uint64  `json:"memory_bytes,omitempty"`
	Files       *uint64  `json:"fds,omitempty"`
	Connections *uint64  `json:"connections,omitempty"` // that are open
}

// Pool is one pool of a picture.
type Pool struct {
	Name    string `json:"name"`
	State   string `json:"state"` // its own, or rolling, reverting, waiting, preparing
	Ready   int    `json:"ready"` // slots with a ready worker
	Desired int    `json:"desired"`
	// StandsBy is how many slots leave their leader to another supervisor.
	StandsBy int `json:"stands_by,omitempty"`
	Figures
	Restarts int      `json:"restarts"`
	Why      string   `json:"why,omitempty"` // what keeps it from being ready, or what went wrong last
	Workers  []Worker `json:"workers"`
}

// Worker is one worker of a picture.
type Worker struct {
	Pool     string `json:"pool"`
	Slot     int    `json:"slot"`
	Side     string `json:"side"`
	WorkerID *int   `json:"worker_id"`
	PID      int    `json:"pid"` // 0 while there is no process
	State    string `json:"state"`
	Ready    bool   `json:"ready"`
	Figures
	Restarts   int       `json:"restarts"` // of the slot
	Age        float64   `json:"age_seconds"`
	Started    time.Time `json:"started,omitzero"`
	Generation uint64    `json:"generation"`
	Why        string    `json:"why,omitempty"`       // why it is not ready, or is to be replaced
	LastExit   string    `json:"last_exit,omitempty"` // of the slot
	Status     string    `json:"status,omitempty"`    // what it says of itself
}

// newPicture is what a snapshot and the CPU shares come to.
func newPicture(snap supervisor.Snapshot, shares meter, at time.Time) Picture {
	p := Picture{Name: snap.Name, PID: snap.PID, State: snap.State, Started: snap.Started, Time: at}
	if r := snap.Config.Reload; r != nil && r.State != "done" {
		p.Why = "reload " + r.State
		if r.Error != "" {
			p.Why += ": " + r.Error
		}
	}
	p.Pools = make([]Pool, len(snap.Pools))
	for i := range snap.Pools {
		p.Pools[i] = newPool(&snap.Pools[i], shares)
	}
	return p
}

func newPool(view *supervisor.PoolView, shares meter) Pool {
	p := Pool{
		Name: view.Name, State: view.State, Ready: view.Ready, Desired: view.Desired, StandsBy: view.StandsBy, Restarts: view.Restarts,
		Why: reasons(view), Workers: make([]Worker, len(view.Workers)),
	}
	switch r := view.Rollout; {
	case view.Phase != "serving" && view.Phase != "":
		p.State = view.Phase
	case r != nil && (r.State == "rolling" || r.State == "reverting"):
		p.State = r.State
	}
	for i := range view.Workers {
		w := newWorker(view.Name, &view.Workers[i], shares)
		p.Workers[i] = w
		p.add(w.Figures)
	}
	if q := listenerQueue(view); q != nil {
		p.Queue = q
	}
	return p
}

// listenerQueue is what waits at all listeners of a pool: also where its workers share a socket.
func listenerQueue(view *supervisor.PoolView) *uint64 {
	var depth *uint64
	for i := range view.Listeners {
		if q := view.Listeners[i].Queue; q != nil {
			depth = sum(depth, &q.Depth)
		}
	}
	return depth
}

// reasons says what is wrong with a pool as a whole.
func reasons(view *supervisor.PoolView) string {
	var all []string
	if len(view.WaitsFor) > 0 {
		all = append(all, "waits for "+strings.Join(view.WaitsFor, ", "))
	}
	if view.Claims != nil {
		if view.Claims.Waiting > 0 { // to wait for the lead, or for a turn, is nothing that is wrong
			all = append(all, view.Claims.Waits...)
		}
		all = append(all, view.Claims.Trouble()...)
	}
	for _, unmet := range view.Unmet {
		all = append(all, "missing: "+unmet)
	}
	switch r := view.Rollout; {
	case r == nil || r.State == "done" || r.State == "waiting": // the claims say for what
	case r.Reason != "":
		all = append(all, fmt.Sprintf("rollout of generation %d %s: %s", r.Generation, r.State, r.Reason))
	case r.State == "failed" || r.State == "reverting":
		all = append(all, fmt.Sprintf("rollout of generation %d %s", r.Generation, r.State))
	}
	return strings.Join(all, "; ")
}

func newWorker(pool string, view *supervisor.WorkerView, shares meter) Worker {
	return Worker{
		Pool: pool, Slot: view.Slot, Side: view.Side, WorkerID: view.WorkerID, PID: view.PID, State: view.State, Ready: view.Ready,
		Figures: figuresOf(view, shares.share(pool, view)), Restarts: view.Restarts, Age: view.Age, Started: view.Started,
		Generation: view.Generation, Why: view.Health, LastExit: view.LastExit, Status: view.Status,
	}
}

func figuresOf(view *supervisor.WorkerView, share *float64) Figures {
	f := Figures{CPU: share, Connections: view.Connections}
	if q := view.Queue; q != nil {
		f.Queue = &q.Depth
	}
	if u := view.Usage; u != nil {
		f.Memory, f.Files = unlessZero(u.Memory), unlessZero(u.FDs)
	}
	return f
}

// unlessZero is nil for what was not measured.
func unlessZero(n uint64) *uint64 {
	if n == 0 {
		return nil
	}
	return &n
}

// add makes the sum of what is known.
func (f *Figures) add(of Figures) {
	f.Queue = sum(f.Queue, of.Queue)
	f.CPU = sum(f.CPU, of.CPU)
	f.Memory = sum(f.Memory, of.Memory)
	f.Files = sum(f.Files, of.Files)
	f.Connections = sum(f.Connections, of.Connections)
}

func sum[N uint64 | float64](a, b *N) *N {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return new(*a + *b)
}

// is reports whether two pictures are of the same worker.
func (w *Worker) is(other *Worker) bool {
	return w.Pool == other.Pool && w.Slot == other.Slot && w.PID == other.PID && w.Started.Equal(other.Started)
}

// occupant is who has a worker's slot: that worker, or who came last if it is gone.
func (p *Picture) occupant(of *Worker) (Worker, bool) {
	var last *Worker
	for i := range p.Pools {
		for j := range p.Pools[i].Workers {
			w := &p.Pools[i].Workers[j]
			switch {
			case w.is(of):
				return *w, true
			case w.Pool == of.Pool && w.Slot == of.Slot && (last == nil || w.Started.After(last.Started)):
				last = w
			}
		}
	}
	if last == nil {
		return Worker{}, false
	}
	return *last, true
}

// leaving reports whether a worker is on its way out, which is no trouble.
func (w *Worker) leaving() bool {
	switch w.State {
	case "settling", "retiring", "draining", "finished":
		return true
	}
	return false
}

// healthy reports whether there is nothing to see to.
func (w *Worker) healthy() bool { return w.Why == "" && (w.Ready || w.leaving()) }

// healthy reports whether there is nothing to see to, in the pool as a whole.
func (p *Pool) healthy() bool { return p.Why == "" && p.missing() <= 0 }

// missing is how many slots should have a ready worker and have none.
func (p *Pool) missing() int { return p.Desired - p.StandsBy - p.Ready }
