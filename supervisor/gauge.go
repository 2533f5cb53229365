package supervisor

import (
	"sync"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
)

const (
	// gaugeAge is how old figures may be before somebody who asks has them read again.
	gaugeAge = 2 * time.Second
	// gaugePatience is how long Snapshot waits for a look that it has begun, or found under way. That is enough for some
	// dozen workers on a machine that has time.
	gaugePatience = 5 * time.Millisecond
	// gaugeLimit is how long Measured waits for it: by then a person wonders, and something hangs.
	gaugeLimit = 500 * time.Millisecond
	// gaugeStale is how old the figures are that are shown when the look takes longer: older ones would pass for present ones.
	gaugeStale = 10 * time.Second
)

// gauge has what changes without an event measured beside the loop, for those who ask for the status. What is read from
// different places is read side by side: control groups may hang without the processes, and the reverse. The loop has no
// part in it; it alone uses said.
type gauge struct {
	said map[string]bool // limits of which it is known that they do not hold

	queues dial[queues]
	trees  dial[trees]
	groups dial[groups]

	mu     sync.Mutex
	closed bool
}

// process tells the processes of different times that have had the same pid.
type process struct {
	pid   int
	began int64 // in ns
}

func (w *WorkerView) process() process { return process{w.PID, w.Started.UnixNano()} }

// groups is what control groups tell.
type groups struct {
	usage  map[Group]cgroup.Usage
	strain map[string]*PressureView // by pool
	at     time.Time
}

func (g *gauge) say(word string) {
	if g.said == nil {
		g.said = map[string]bool{}
	}
	g.said[word] = true
}

// close ends it: no look begins any more. The supervisor waits for those under way.
func (g *gauge) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// beside runs f on a goroutine that the supervisor waits for, and reports whether it does: not after the end.
func (s *Supervisor) beside(f func()) bool {
	s.gauge.mu.Lock()
	defer s.gauge.mu.Unlock()
	if s.gauge.closed {
		return false
	}
	s.goOn(f)
	return true
}

// measure has the figures read that are too old, and waits for them a while. A snapshot says what there is to read.
func (s *Supervisor) measure(snap *Snapshot, within time.Duration) {
	g, world := &s.gauge, &s.cfg.World
	looks := []<-chan struct{}{
		g.queues.look(s.beside, func(_ queues, show func(queues)) { show(readQueues(snap)) }),
		g.trees.look(s.beside, func(before trees, show func(trees)) { world.readTrees(snap, before, show) }),
		g.groups.look(s.beside, func(_ groups, show func(groups)) { show(readGroups(world.Groups, snap)) }),
	}
	patience := time.NewTimer(within)
	defer patience.Stop()
	for _, ended := range looks {
		if ended == nil {
			continue
		}
		select {
		case <-ended:
		case <-patience.C:
			return
		}
	}
}

// fill adds the figures to a snapshot that nobody else has.
func (g *gauge) fill(snap *Snapshot) {
	queues, trees, groups := g.queues.figures(), g.trees.figures(), g.groups.figures()
	snap.Measured = trees.at
	if len(groups.usage) > 0 {
		snap.Measured = groups.at
	}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		p.Pressure = groups.strain[p.Name]
		for j := range p.Listeners {
			p.Listeners[j].Queue = queues.listeners[p.Listeners[j].from]
		}
		for j := range p.Workers {
			w := &p.Workers[j]
			w.Queue = queues.workers[w.process()]
			w.Connections = trees.connections(w.process())
			w.Usage = usage(trees.usage[w.process()], groups.usage[w.group])
		}
	}
}

// usage says what a control group does not tell by the processes; nil if nobody tells anything.
func usage(tree *UsageView, group cgroup.Usage) *UsageView {
	if group == (cgroup.Usage{}) {
		return tree
	}
	all := UsageView{}
	if tree != nil {
		all = *tree
	}
	if group.Memory > 0 {
		all.Memory, all.MemoryPeak = group.Memory, group.MemoryPeak
	}
	if group.CPU > 0 {
		all.CPU = group.CPU.Seconds()
	}
	return &all
}

func readGroups(from Groups, snap *Snapshot) groups {
	found := groups{usage: map[Group]cgroup.Usage{}, strain: map[string]*PressureView{}, at: time.Now()}
	if from == nil {
		return found
	}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		if s, err := from.Pressure(p.Name); err == nil { // kernels without it are no news
			found.strain[p.Name] = &PressureView{Memory: viewShare(s.Memory), CPU: viewShare(s.CPU)}
		}
		for j := range p.Workers {
			if group := p.Workers[j].group; group != nil {
				if u, ok := group.Usage(); ok {
					found.usage[group] = u
				}
			}
		}
	}
	return found
}

func viewShare(p cgroup.Pressure) ShareView {
	return ShareView{Some10: p.Some.Avg10, Some60: p.Some.Avg60, Full10: p.Full.Avg10, Full60: p.Full.Avg60}
}
