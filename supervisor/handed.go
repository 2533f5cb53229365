package supervisor

import (
	"slices"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/supervisor/scale"
	"github.com/broodctl/brood/worker"
)

// Handed is what a supervisor knows at a moment when nothing is under way beside its loop: what the program needs that goes
// on in its place, as the same process, with the same workers. It is written as JSON, and its numbers of descriptors are
// those of the process. Times are stamps; see there.
//
// Its form is part of what docs/upgrade.md promises: a field is never given another meaning, and Format of package host
// counts the changes.
type Handed struct {
	At      stamp // when it was written
	Begun   int64 // Unix time in nanoseconds: of the first program in this process
	Seed    uint64
	Desired plan.Desired
	Config  ConfigView
	Pools   []HandedPool
	Paused  []plan.Key // listeners that take no connections
	Ready   bool       // every slot has been ready once
	Asked   []HandedAnswer
	Signals []syscall.Signal // that came meanwhile
	Events  []events.Event
	Last    uint64   // the number of the latest event
	Said    []string // limits of which it was said that they do not hold
	Upgrade HandedUpgrade
	Deadman *HandedDeadman `json:",omitempty"`
}

// HandedUpgrade is the upgrade that all this is for.
type HandedUpgrade struct {
	From   string // the version that wrote it
	Begun  stamp
	Ticket string // whose request it was; "" is nobody's
	Failed string `json:",omitempty"` // why another program that had taken over could not go on, and gave back
}

// HandedPool is a pool.
type HandedPool struct {
	Name     string
	State    machine.State
	Station  station
	Editions []HandedEdition
	First    bool
	Settled  bool
	Unmet    []string
	Workers  []HandedWorker
	Slots    []HandedSlot
	Timers   []HandedTimer
	Claims   []HandedClaim   `json:",omitempty"`
	Member   *HandedMember   `json:",omitempty"`
	Failures []HandedFailure `json:",omitempty"` // that the fleet has to hear of
	Rollout  *RolloutView
	Reloads  ReloadsView
	Repairs  Repairs
	Deaths   map[Cause]int
	Code     int
	Scaled   HandedScaling
	Restarts []HandedRestart
	Reload   *HandedReload `json:",omitempty"`
	Waiting  []HandedWaiter
}

// HandedEdition is what the workers of a generation are made from.
type HandedEdition struct {
	Generation uint64
	Pool       plan.Pool
	Seats      []HandedSeat
	Program    *worker.HandedProgram `json:",omitempty"`
	Repeats    uint64                `json:",omitempty"`
}

// HandedSeat is a listener under the name that an edition knows it by.
type HandedSeat struct {
	Key  plan.Key
	Name string
}

// HandedWorker is the world's side of a worker.
type HandedWorker struct {
	Ref        machine.Ref
	ID         int
	Generation uint64
	Made       stamp
	Born       int64 `json:",omitempty"` // Unix time in nanoseconds; of the process, as it is shown
	Unborn     bool  `json:",omitempty"` // it was to be started, and nobody has forked it
	Process    *worker.HandedProcess
	Output     *HandedOutput
	Notify     *worker.HandedNotify
	Tmp        *worker.HandedTmpDir
	Group      *cgroup.HandedGroup // nil if it has none

	Gate     gate
	Notified bool   `json:",omitempty"`
	Leaves   bool   `json:",omitempty"`
	Garbled  int    `json:",omitempty"`
	Reload   bool   `json:",omitempty"`
	Status   string `json:",omitempty"`
	ReadyAt  stamp
	Probe    string        `json:",omitempty"`
	Limit    time.Duration `json:",omitempty"`
	Wrong    []HandedComplaint
	Health   fitness // as the machine heard it
	Noted    bool    `json:",omitempty"`
	Requests uint64
	Due      bool `json:",omitempty"`

	Asked   bool `json:",omitempty"`
	Why     machine.Why
	Killed  bool `json:",omitempty"`
	Fault   *HandedComplaint
	Relayed syscall.Signal
	Purpose machine.Purpose

	Lost []HandedClaim `json:",omitempty"` // claims that it may still use

	Over      bool `json:",omitempty"`
	OOMKilled bool `json:",omitempty"`
	Err       string
	Exit      worker.Exit
	Ended     stamp

	Mortal *HandedMortal `json:",omitempty"` // nil if it dies with no claim, as far as the deadman knows
}

// Descriptors are all numbers of descriptors that the next program has to inherit.
func (h *Handed) Descriptors() []*int {
	var all []*int
	if h.Deadman != nil {
		all = append(all, &h.Deadman.FD)
	}
	for i := range h.Pools {
		p := &h.Pools[i]
		for j := range p.Editions {
			if program := p.Editions[j].Program; program != nil {
				all = append(all, program.Descriptors()...)
			}
		}
		for j := range p.Workers {
			if notify := p.Workers[j].Notify; notify != nil {
				all = append(all, notify.Descriptors()...)
			}
		}
		for j := range p.Claims {
			if p.Claims[j].FD >= 0 {
				all = append(all, &p.Claims[j].FD)
			}
		}
		if p.Member != nil && p.Member.FD >= 0 {
			all = append(all, &p.Member.FD)
		}
	}
	return all
}

// Awaits reports whether the next program still has an answer to give to the request of a ticket.
func (h *Handed) Awaits(ticket string) bool {
	return ticket == h.Upgrade.Ticket || slices.ContainsFunc(h.Asked, func(a HandedAnswer) bool { return a.Ticket == ticket })
}

// HandedOutput is where a worker's words go: the number that logs.Stream has of itself.
type HandedOutput struct{ Handle int }

// HandedComplaint is what one sense has found wrong with a worker.
type HandedComplaint struct {
	By     sense
	Cause  Cause
	Detail string
	Since  stamp
}

// HandedSlot is what a slot remembers.
type HandedSlot struct {
	Slot, Restarts int
	LastExit       string
	Requests       uint64
}

// HandedTimer is a timer of the machine.
type HandedTimer struct {
	Timer machine.Timer
	Ends  stamp
}

// HandedScaling is how the load changed the number of workers last.
type HandedScaling struct {
	Reason  scale.Reason
	To      int
	Detail  string
	Changed stamp
}

// HandedAnswer is what is known of the answer to a request that others wait for: several pools may have to give it.
type HandedAnswer struct {
	Ticket    string
	Text      string
	Err       *HandedError
	Lines     []string
	Reloading bool // systemd is to hear of its end
}

// HandedWaiter waits for the end of a rollout. It gives to an answer, on its way to whom it may be changed.
type HandedWaiter struct {
	Target uint64
	Answer int // among those that were asked
	Booked stamp
	Unread bool
}

// HandedReload is a reload that workers were told of, and of which it is not known yet what became of it.
type HandedReload struct {
	Begun, Ended stamp
	Failed       bool `json:",omitempty"`
	Told         []HandedWord
}

// HandedWord is what a worker has said of its reload.
type HandedWord struct {
	Ref  machine.Ref
	Word word
}

// HandedRestart waits for the end of a worker that is being replaced.
type HandedRestart struct {
	Ref    machine.Ref
	PID    int
	Answer int
}
