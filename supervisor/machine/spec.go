package machine

import (
	"errors"
	"fmt"
	"time"
)

// Order says which comes first when a worker is replaced on purpose.
type Order uint8

// The orders of a replacement.
const (
	StartFirst Order = iota // the successor is ready before the incumbent leaves
	StopFirst               // the incumbent is reaped before the successor starts: for programs that must not overlap
)

// ReloadPolicy says what a reload request does to workers whose specification did not change.
type ReloadPolicy uint8

// The reload policies; see docs/signals.md.
const (
	ReloadAuto   ReloadPolicy = iota // relay the signal if every ready worker is known to handle it, else roll
	ReloadSignal                     // relay wherever the handler bit is set, never roll
	ReloadRoll                       // always roll
)

// Spec is what is wanted of a pool. The zero value is not useful; check with Validate.
type Spec struct {
	Workers        int // how many slots are to be served
	MaxSurge       int // processes above Workers while replacing
	MaxUnavailable int // ready workers that a rollout may be short of
	// SurgePercent and UnavailablePercent, if not 0, count instead of the numbers, in parts of a hundred of Workers: the
	// surge rounded up, the other down.
	SurgePercent       int
	UnavailablePercent int
	Order              Order
	Leader             bool // the first slot must not overlap with itself: what its worker does, one process does
	Claims             bool // worker ids are shared with other supervisors, and so is the leader: nobody starts without a claim. It never changes
	Turns              bool // with claims: supervisors take turns at rollouts, and one needs a claim to begin and to go on
	KeepIDs            bool // who has lost the claim to its worker id serves on
	FirstID            int  // worker ids come from FirstID..LastID
	LastID             int
	ReadyTimeout       time.Duration // a worker that is not ready by then is replaced; 0 waits for ever
	MinReady           time.Duration // how long the worker of a rollout must have been ready to count
	Canary             time.Duration // the same for the first one of a rollout, which the others wait for
	Settle             time.Duration // between steering away from a worker and its termination
	StopDelay          time.Duration // between a stop and the termination of the workers, which serve on meanwhile; also the least Settle
	Grace              time.Duration // between the termination of a worker and the kill of its group
	Trace              time.Duration // between the SIGABRT to a worker that does not work and the kill of its group
	RecycleGap         time.Duration // between the end of one recycling and the next one
	Reload             ReloadPolicy
	DumpGap            time.Duration // between two heap dumps
	Restart            RestartPolicy
	Backoff            Backoff
}

// Backoff spaces the restarts of one slot. The first restart after a stable time is immediate.
type Backoff struct {
	Base        time.Duration // before the second restart in a row; doubles from there
	Max         time.Duration // cap of the delay before jitter
	StableAfter time.Duration // a worker that lived this long starts the count anew
	RecycleAge  time.Duration // a clean exit after this long is no failure
	GiveUpAfter int           // failures in a row that stop the pool; 0 never gives up
	Seed        uint64        // of the jitter, so that many supervisors do not restart in step
}

// Surge is how many processes above Workers there may be while replacing.
func (s Spec) Surge() int {
	if s.SurgePercent == 0 {
		return s.MaxSurge
	}
	return (s.Workers*s.SurgePercent + 99) / 100
}

// Unavailable is how many ready workers a rollout may be short of. Stop-first cannot do without one, nor can a leader.
func (s Spec) Unavailable() int {
	n := s.MaxUnavailable
	if s.UnavailablePercent != 0 {
		n = s.Workers * s.UnavailablePercent / 100
	}
	if s.Leader || s.Order == StopFirst && s.UnavailablePercent != 0 {
		return max(n, 1)
	}
	return n
}

// orderAt is the order of the replacements in one slot.
func (s Spec) orderAt(slot int) Order {
	if s.Leads(slot) {
		return StopFirst
	}
	return s.Order
}

// leaderSlot is the slot of the leader, if the pool has one: it is there whatever the number of workers.
const leaderSlot = 0

// Leads reports whether the worker of a slot is the leader of its pool.
func (s Spec) Leads(slot int) bool { return s.Leader && slot == leaderSlot }

// takesTurns reports whether a rollout needs a turn.
func (s Spec) takesTurns() bool { return s.Claims && s.Turns }

// settle is the time between steering away from a worker and its termination. What watches the pool from outside needs
// the delay of a stop as much for one worker as for all.
func (s Spec) settle() time.Duration { return max(s.Settle, s.StopDelay) }

// scaled is the specification with another number of workers, or as it was if it cannot have that.
func (s Spec) scaled(workers int) Spec {
	other := s
	other.Workers = workers
	if other.Validate() != nil {
		return s
	}
	return other
}

// MaxWorkers is more than a machine has descriptors and room for; a number above it is a mistake.
const MaxWorkers = 10000

// MaxSurgePercent is ten successors beside each worker; what is above it is a mistake.
const MaxSurgePercent = 1000

// Validate reports what would make the pool unable to run or to roll.
func (s Spec) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Workers < 1 || s.Workers > MaxWorkers {
		bad("workers must be at least 1 and at most %d, not %d", MaxWorkers, s.Workers)
	}
	if s.MaxSurge < 0 || s.MaxSurge > MaxWorkers || s.MaxUnavailable < 0 {
		bad("max surge (%d) and max unavailable (%d) must not be negative, nor the surge above %d", s.MaxSurge, s.MaxUnavailable, MaxWorkers)
	}
	if s.SurgePercent < 0 || s.SurgePercent > MaxSurgePercent {
		bad("max surge must be from 0%% to %d%%, not %d%%", MaxSurgePercent, s.SurgePercent)
	}
	if s.UnavailablePercent < 0 || s.UnavailablePercent > 100 {
		bad("max unavailable must be from 0%% to 100%%, not %d%%", s.UnavailablePercent)
	}
	if s.Trace < 0 || s.RecycleGap < 0 {
		bad("the time for a trace (%v) and the gap between recyclings (%v) must not be negative", s.Trace, s.RecycleGap)
	}
	if s.MinReady < 0 || s.Canary < 0 || s.StopDelay < 0 {
		bad("min ready (%v), canary (%v) and the delay of a stop (%v) must not be negative", s.MinReady, s.Canary, s.StopDelay)
	}
	if s.Order == StartFirst && s.Surge() < 1 {
		bad("start-first needs a max surge of at least 1: the successor runs beside the incumbent")
	}
	if s.Order == StopFirst && s.Unavailable() < 1 {
		bad("stop-first needs a max unavailable of at least 1: the slot is empty while its successor starts")
	}
	if room := s.LastID - s.FirstID + 1; s.FirstID < 0 || room-s.Surge() < s.Workers {
		bad("worker ids %d-%d have room for %d, but %d workers and a surge of %d may live at once",
			s.FirstID, s.LastID, max(room, 0), s.Workers, s.Surge())
	}
	return errors.Join(errs...)
}
