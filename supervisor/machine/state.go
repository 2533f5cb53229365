package machine

// Phase is where the whole pool is in its life.
type Phase uint8

// The phases of a pool.
const (
	Serving Phase = iota
	Stopping
	Exited
)

// Health is where one worker is in its life. The moves between healths are listed in Diagram.
type Health uint8

// The healths of a worker. Those from Starting on have a process.
const (
	Free     Health = iota // nobody is here
	Waiting                // the next worker starts when the backoff ends
	Finished               // it ended, and nobody follows it in its generation
	Starting               // spawned, not ready yet
	Proving                // serving, but its rollout does not count on it yet
	Ready                  // serving
	Unready                // kept, but steered away from: it says, or is seen, that it does not serve for now
	Failing                // as Unready, and to be replaced as soon as the pool can do without it
	Settling               // steered away from, still serving what it has, not told to leave yet
	Retiring               // leaving by its own will
	Draining               // told to leave, or its leader is gone and its group is not
	Tracing                // told to say where it hangs; it is killed next
	Reaping                // SIGKILL was sent to its group, and its successor waits for its place, where connections wait
	Killed                 // SIGKILL was sent to its group
)

// Side is one of the two places of a slot.
type Side uint8

// The sides of a slot.
const (
	A Side = iota
	B
)

// Other is the side across.
func (s Side) Other() Side { return 1 - s }

// Ref names one worker: its place, and which of the workers that were ever there.
type Ref struct {
	Slot int
	Side Side
	Inc  uint64 // incarnation: counts every worker of the pool, from 1
}

// Worker is one side of a slot.
type Worker struct {
	Health     Health
	Ended      Ending // how its leading process ended, if nobody is to follow it
	Inc        uint64
	ID         int    // worker id; meaningful while there is a process
	Fence      uint64 // of the claim to the worker id that it was started with; 0 where none is needed
	Lead       uint64 // fence of the claim to lead that it was started with; 0 if it does not lead for others too
	Generation uint64 // of the specification it was started with
}

// Ending is how a worker ended that nobody is to follow: see RestartPolicy. It is Finished as soon as its group is gone.
type Ending uint8

// The endings.
const (
	NotEnded   Ending = iota
	EndedWell         // with success
	EndedBadly        // in any other way
)

// Slot is a stable place of a pool.
type Slot struct {
	Generation uint64 // which generation this slot is to run
	Home       Side   // where its connections are
	Failures   int    // in a row, of workers of this generation; spaces the restarts
	Outdated   uint64 // incarnation of its worker that is being recycled; 0 if none is
	Rested     bool   // its backoff has ended, and nobody could start yet
	Repairing  bool   // its worker did not work and was killed, and no other one has become ready since
	Workers    [2]Worker
}

// RolloutPhase is where a rollout is.
type RolloutPhase uint8

// The phases of a rollout.
const (
	NoRollout RolloutPhase = iota
	Rolling                // slots go to the target generation, turn by turn
	Reverting              // the target failed; slots go back to the pool's generation
)

// Rollout is the replacement of all workers by a new generation. It is numbered by its target generation, and no number
// is given twice.
type Rollout struct {
	Phase  RolloutPhase
	Target uint64 // the generation it leads to; kept after the end, as the highest generation so far
	Queued uint64 // the generation of the rollout that follows this one, or waits for its turn; 0 if none
	Proven bool   // Rolling: a worker of the target has proved itself; the canary, if there is one
	Before Spec   // Rolling: what is wanted again if it fails
	After  Spec   // what is wanted when the queued one begins; no Workers if it changes nothing
}

// Parting is what becomes of the connections that come while a pool stops.
type Parting uint8

// The ways of parting.
const (
	Stays   Parting = iota // they go to its workers to the end: in queues they would end with it
	Departs                // its queues outlive it; its workers serve on for the delay, and then are steered away from
	Parted                 // they wait where nobody is, for the workers of a pool to come
)

// State is everything the machine knows of a pool. It is a value: Step never changes the one it is given.
type State struct {
	Phase      Phase
	Spec       Spec
	Generation uint64 // the generation known to be good
	Rollout    Rollout
	Parting    Parting // while stopping
	Terms      int     // terminations received
	ExitCode   int     // what a graceful stop ends with
	LastInc    uint64
	Slots      []Slot
	Dumps      []Ref       // workers that still have to dump; the first one is at it
	Owed       []Ref       // workers that were starting when a reload was relayed, and get it when they are ready
	Due        []Ref       // workers that are to be recycled, and wait for it
	Resting    Ref         // the last one that was, while the gap after it runs
	Held       []Holding   // claims, by right and id
	Asked      [rights]int // claims that were asked for and have not come
}

// HasProcess reports whether an unreaped process may be behind a worker of this health.
func (h Health) HasProcess() bool { return h >= Starting }

// Active reports whether a worker of this health is in service or on its way to it.
func (h Health) Active() bool { return h == Waiting || h >= Starting && h < Settling }

// Serves reports whether new connections go to a worker of this health.
func (h Health) Serves() bool { return h == Proving || h == Ready }

// KeepsPlace reports whether the successor of a worker of this health waits for its place.
func (h Health) KeepsPlace() bool { return h == Tracing || h == Reaping }

// Up reports whether a worker of this health has been ready and is to stay: it may be signalled, and takes connections if
// nobody is in service.
func (h Health) Up() bool { return h >= Proving && h <= Failing }

// Leaving reports whether a worker of this health is on its way out.
func (h Health) Leaving() bool { return h >= Settling }

// Worker returns the worker that ref names, and whether it is still the one there.
func (s *State) Worker(ref Ref) (Worker, bool) {
	if ref.Slot < 0 || ref.Slot >= len(s.Slots) || ref.Inc == 0 {
		return Worker{}, false
	}
	w := s.Slots[ref.Slot].Workers[ref.Side]
	return w, w.Inc == ref.Inc && w.Health != Free
}

// Ready counts the workers that are ready and have nothing to prove.
func (s *State) Ready() int { return s.count(func(h Health) bool { return h == Ready }) }

func (s *State) count(is func(Health) bool) int {
	n := 0
	for i := range s.Slots {
		for _, w := range s.Slots[i].Workers {
			if is(w.Health) {
				n++
			}
		}
	}
	return n
}

// ReadySlots counts the wanted slots that have a worker in service: what "3/4 ready" means.
func (s *State) ReadySlots() int {
	n := 0
	for i := range min(len(s.Slots), s.Spec.Workers) {
		if s.Slots[i].serves() {
			n++
		}
	}
	return n
}

// Unreaped counts the workers that have, or may have, a process.
func (s *State) Unreaped() int { return s.count(Health.HasProcess) }

// String is the word for logs, status and documents.
func (p Phase) String() string { return [...]string{"serving", "stopping", "exited"}[p] }

// String is the word for logs, status and documents.
func (h Health) String() string {
	return [...]string{
		"free", "waiting", "finished", "starting", "proving", "ready", "unready", "failing",
		"settling", "retiring", "draining", "tracing", "reaping", "killed",
	}[h]
}

// String is the word for logs, status and documents.
func (s Side) String() string { return [...]string{"a", "b"}[s] }

// String is the word for logs, status and documents.
func (p RolloutPhase) String() string { return [...]string{"none", "rolling", "reverting"}[p] }
