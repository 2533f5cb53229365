package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/listener"
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
	Config  ConfigView `json:"config"`
	Pools   []PoolView `json:"pools"`
	// Measured is when the CPU times of the workers were read, for whoever makes shares of them; zero if none were.
	Measured time.Time `json:"measured,omitzero"`
}

// The states of a reload.
const (
	reloadPreparing = "preparing" // the file is read, and what it requires checked
	reloadApplying  = "applying"
	reloadReverting = "reverting"
	reloadIsDone    = "done"
	reloadFailed    = "failed"
)

// ConfigView says which configuration holds, and how the last reload went.
type ConfigView struct {
	File     string      `json:"file"` // "" if it came from flags
	Loaded   time.Time   `json:"loaded"`
	Reloads  int         `json:"reloads"`         // that went well
	Failures int         `json:"reload_failures"` // that did not
	Reload   *ReloadView `json:"reload"`          // the one at hand, else the last one
}

// ReloadView is one reload.
type ReloadView struct {
	State string    `json:"state"` // preparing, applying, reverting, done, failed
	At    time.Time `json:"at,omitzero"`
	Error string    `json:"error,omitempty"`
	Lines []string  `json:"last_lines,omitempty"` // of the worker or command that is to blame
}

// PoolView is one pool in a snapshot.
type PoolView struct {
	Name       string         `json:"name"`
	Phase      string         `json:"phase"`
	Generation uint64         `json:"generation"`
	Desired    int            `json:"desired"`
	Ready      int            `json:"ready"`               // slots that have a ready worker
	StandsBy   int            `json:"stands_by,omitempty"` // slots whose leader another supervisor has: nobody is missing there
	Restarts   int            `json:"restarts"`
	State      string         `json:"state"` // starting, ready, degraded, stopping
	Deaths     map[Cause]int  `json:"deaths"`
	Repairs    Repairs        `json:"repairs"`
	Reloads    ReloadsView    `json:"reloads,omitzero"`
	Pressure   *PressureView  `json:"pressure,omitempty"`  // if there are control groups
	WaitsFor   []string       `json:"waits_for,omitempty"` // pools that have to be ready first
	Unmet      []string       `json:"unmet,omitempty"`     // what it requires and was found missing
	Claims     *ClaimsView    `json:"claims,omitempty"`    // if worker ids are shared with other supervisors
	Fleet      *FleetView     `json:"fleet,omitempty"`     // if it takes turns with others at rollouts
	Rollout    *RolloutView   `json:"rollout"`             // the one at hand, else the last one
	Autoscale  *AutoscaleView `json:"autoscale,omitempty"` // if the number of workers follows the load
	Listeners  []ListenerView `json:"listeners"`
	Workers    []WorkerView   `json:"workers"`
}

// ClaimsView is what a pool has, and waits for, of what supervisors share.
type ClaimsView struct {
	Held    int      `json:"held"`    // worker ids, and the leader's place
	Waiting int      `json:"waiting"` // so many more worker ids are asked for
	Waits   []string `json:"waits,omitempty"`
	Lost    int      `json:"lost,omitempty"` // workers that serve on though the claims to their ids are lost
	// NoDeadman is why nobody would kill workers in time if the supervisor were stopped.
	NoDeadman string `json:"no_deadman,omitempty"`
	// Deadline is in how many seconds what is held must not be used any more, unless it is renewed; none if it never ends.
	Deadline *float64 `json:"deadline_seconds,omitempty"`
}

// Trouble says what is wrong with them. Nothing may be, also where there is no view.
func (v *ClaimsView) Trouble() []string {
	if v == nil {
		return nil
	}
	var all []string
	if v.Lost > 0 {
		all = append(all, fmt.Sprintf("worker ids lost, and kept: %d", v.Lost))
	}
	if v.NoDeadman != "" {
		all = append(all, "no deadman: "+v.NoDeadman)
	}
	return all
}

// FleetView is what a pool is at, as all of its fleet read it.
type FleetView struct {
	Name   string `json:"name"`
	State  string `json:"state"` // idle, waits, rolls, done, failed
	config fleet.Config
}

// ReloadsView counts the reloads that the workers of a pool were told of, by signal or by a rollout.
type ReloadsView struct {
	Done   int     `json:"done"`
	Failed int     `json:"failed"`
	Last   float64 `json:"last_seconds"` // how long the last one took that went well
}

// RolloutView is the rollout at hand, or the last one.
type RolloutView struct {
	Generation uint64 `json:"generation"`
	State      string `json:"state"` // waiting, rolling, reverting, done, failed
	Reason     string `json:"reason,omitempty"`
}

// AutoscaleView says between which bounds the number of workers follows the load, what the load was when somebody looked
// the last time, and what it came to.
type AutoscaleView struct {
	Min     int       `json:"min"`
	Max     int       `json:"max"`
	Queued  int       `json:"queued"`               // connections that wait for ready workers
	CPU     float64   `json:"cpu"`                  // CPUs that these use together; 0 if that does not count
	Reason  string    `json:"reason,omitempty"`     // of the last change, if the load made it: queue, cpu, removal_undone, idle, bounds
	Detail  string    `json:"detail,omitempty"`     // the same for people, with numbers
	Changed time.Time `json:"last_change,omitzero"` // when that was
}

// ListenerView is one address of a pool.
type ListenerView struct {
	Name    string     `json:"name"`
	Address string     `json:"address"`
	Mode    string     `json:"mode"`
	Queue   *QueueView `json:"queue,omitempty"` // of all its sockets together; nil if they do not tell
	from    Listener
}

// WorkerView is one worker. A slot that is being replaced has two, one that waits has one without a pid.
type WorkerView struct {
	Slot       int     `json:"slot"`
	WorkerID   *int    `json:"worker_id"` // null while it has none
	PID        int     `json:"pid"`
	State      string  `json:"state"`
	Ready      bool    `json:"ready"`
	Generation uint64  `json:"generation"`
	Age        float64 `json:"age_seconds"`
	Restarts   int     `json:"restarts"`  // of the slot
	LastExit   string  `json:"last_exit"` // of the slot
	Status     string  `json:"status,omitempty"`
	Health     string  `json:"health,omitempty"` // what is wrong with it
	Side       string  `json:"side"`
	Leader     bool    `json:"leader,omitempty"` // it leads its pool
	// Fence and LeaderFence are those of its claims to its worker id, and to lead, where supervisors share them.
	Fence       uint64 `json:"fence,omitempty"`
	LeaderFence uint64 `json:"leader_fence,omitempty"`
	// These are measured when somebody asks, and left out where they cannot be.
	Usage       *UsageView `json:"usage,omitempty"`
	Queue       *QueueView `json:"queue,omitempty"`       // of its own sockets; nil if it shares them all
	Connections *uint64    `json:"connections,omitempty"` // of its listeners, that it has open
	Requests    *uint64    `json:"requests,omitempty"`    // of the slot, if its workers report what they have served
	Started     time.Time  `json:"started,omitzero"`
	group       Group
	seats       []seat
	side        listener.Side
	served      *atomic.Uint64 // the slot's requests
}

// Snapshot returns the latest picture, with the ages as of now. It never waits for the loop, and for what is measured only
// some milliseconds: where that takes longer its figures are those of the last look, or left out.
func (s *Supervisor) Snapshot() Snapshot { return s.measured(gaugePatience) }

// Measured is a Snapshot whose figures were measured within the last two seconds. It waits half a second for that at most;
// a look takes less than a tenth where there are a thousand workers.
func (s *Supervisor) Measured() Snapshot { return s.measured(gaugeLimit) }

func (s *Supervisor) measured(within time.Duration) Snapshot {
	latest := s.snapshot.Load()
	s.measure(latest, within)
	snap := *latest
	snap.Pools = slices.Clone(snap.Pools)
	left := s.cfg.World.Places.left()
	for i := range snap.Pools {
		p := &snap.Pools[i]
		p.Listeners, p.Workers = slices.Clone(p.Listeners), slices.Clone(p.Workers)
		if p.Claims != nil && left != nil {
			dated := *p.Claims
			dated.Deadline = left
			p.Claims = &dated
		}
		for j := range p.Workers {
			w := &p.Workers[j]
			if !w.Started.IsZero() {
				w.Age = time.Since(w.Started).Seconds()
			}
			if n := w.served.Load(); n > 0 {
				w.Requests = &n
			}
		}
	}
	s.gauge.fill(&snap)
	return snap
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
		parts[i] += p.unfitness()
		if r := p.Rollout; r != nil && (r.State == machine.Rolling.String() || r.State == machine.Reverting.String()) {
			parts[i] += fmt.Sprintf(", %s generation %d", r.State, r.Generation)
		} else if r != nil && r.State == stateFailed {
			parts[i] += fmt.Sprintf(", rollout of generation %d failed: %s", r.Generation, oneLine(r.Reason))
		}
		if len(p.WaitsFor) > 0 {
			parts[i] += ", waits for " + strings.Join(p.WaitsFor, ", ")
		}
		if p.Claims != nil {
			for _, waits := range p.Claims.Waits {
				parts[i] += ", " + oneLine(waits)
			}
		}
		for _, unmet := range p.Unmet {
			parts[i] += ", " + oneLine(unmet)
		}
		if p.Phase == machine.Stopping.String() {
			parts[i] += fmt.Sprintf(", stopping: %d left", len(p.Workers))
		}
	}
	if r := s.Config.Reload; r != nil && r.State != reloadIsDone {
		parts = append(parts, "reload "+r.State)
		if r.Error != "" {
			parts[len(parts)-1] += ": " + oneLine(r.Error)
		}
	}
	return strings.Join(parts, "; ")
}

// unfitness says how many workers are up and do not serve, and what is wrong with the first of them.
func (p *PoolView) unfitness() string {
	n, why := 0, ""
	for i := range p.Workers {
		w := &p.Workers[i]
		if w.State != machine.Unready.String() && w.State != machine.Failing.String() {
			continue
		}
		if n++; n == 1 {
			why = fmt.Sprintf("slot %d: %s", w.Slot, oneLine(w.Health))
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d not working (%s)", n, why)
}

// oneLine makes a text fit into one line of a datagram or of a terminal.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }
