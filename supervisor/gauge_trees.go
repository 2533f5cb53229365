package supervisor

import (
	"cmp"
	"slices"
	"time"

	"github.com/broodctl/brood/worker"
)

// To find a worker's connections each of its descriptors is looked at, in some four microseconds. These bound what that
// costs on average, and in one look: the workers take turns where they have more descriptors in all.
const (
	fdsPerSecond = 3_000
	fdsAtOnce    = 32_000          // those of a tree that has more are not looked at
	heldStale    = 2 * time.Minute // how long the count of a worker is shown that has to wait for its turn
)

// trees is what the processes of the workers tell.
type trees struct {
	usage map[process]*UsageView
	held  map[process]holding
	at    time.Time
	fds   int // that may be looked at, as of at
}

// holding is how many connections somebody has open.
type holding struct {
	connections uint64
	known       bool // the kernel let us look
	at          time.Time
}

// connections is nil if they are not known.
func (t *trees) connections(p process) *uint64 {
	h := t.held[p]
	if !h.known || time.Since(h.at) > heldStale {
		return nil
	}
	return &h.connections
}

// readTrees shows what the processes use before it looks for connections, which takes longer.
func (w *World) readTrees(snap *Snapshot, before trees, show func(trees)) {
	now := trees{usage: map[process]*UsageView{}, held: before.held, at: time.Now(), fds: fdsAtOnce}
	if !before.at.IsZero() {
		now.fds = min(before.fds+int(fdsPerSecond*now.at.Sub(before.at).Seconds()), fdsAtOnce)
	}
	var pids []int
	for p := range snap.workers() {
		pids = append(pids, p.PID)
	}
	if w.Census == nil || len(pids) == 0 {
		show(now)
		return
	}
	homes, err := w.Census(pids)
	if err != nil {
		show(now) // and nobody is told why: it is asked for again and again
		return
	}
	for p := range snap.workers() {
		if home, ok := homes[p.PID]; ok {
			now.usage[p.process()] = &UsageView{
				Memory: home.Memory, CPU: home.CPU.Seconds(), Pids: uint64(home.Processes), FDs: uint64(home.Files),
			}
		}
	}
	show(now)
	w.readHeld(snap, homes, &now)
	show(now)
}

// readHeld counts connections, of those first whose count is the oldest.
func (w *World) readHeld(snap *Snapshot, homes map[int]worker.Household, into *trees) {
	var ports []int
	var turns []process
	for p := range snap.workers() {
		if own := p.ports(); len(own) > 0 {
			ports, turns = append(ports, own...), append(turns, p.process())
		}
	}
	if w.Connected == nil || len(ports) == 0 {
		return
	}
	slices.Sort(ports)
	count, err := w.Connected(slices.Compact(ports))
	if err != nil {
		return
	}
	before := into.held
	into.held = make(map[process]holding, len(turns))
	slices.SortFunc(turns, func(a, b process) int {
		return cmp.Or(before[a].at.Compare(before[b].at), cmp.Compare(a.pid, b.pid))
	})
	for _, p := range turns {
		home, ok := homes[p.pid]
		switch {
		case !ok || home.Files > fdsAtOnce:
		case into.fds <= 0:
			if last, ok := before[p]; ok {
				into.held[p] = last
			}
		default:
			into.fds -= home.Files + len(home.Members) // who has none costs as well
			n, err := count(home.Members)
			into.held[p] = holding{connections: uint64(n), known: err == nil, at: time.Now()}
		}
	}
}

// workers are those that have processes.
func (s *Snapshot) workers() func(yield func(*WorkerView) bool) {
	return func(yield func(*WorkerView) bool) {
		for i := range s.Pools {
			for j := range s.Pools[i].Workers {
				if w := &s.Pools[i].Workers[j]; w.PID != 0 && !yield(w) {
					return
				}
			}
		}
	}
}

// ports are those of its TCP listeners.
func (w *WorkerView) ports() []int {
	var all []int
	for _, l := range w.seats {
		if port := l.Port(w.Slot); port != 0 && !l.Datagram() {
			all = append(all, port)
		}
	}
	return all
}
