package supervisor

import (
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// target is a worker that a round looks at.
type target struct {
	ref       machine.Ref
	watch     int
	pid       int
	listeners []seat
	suspect   bool // it is to be looked at closely
	repair    bool // what it has spoiled of its sockets is to be put back
}

// sight is what a round has seen of a worker.
type sight struct {
	target
	at      time.Time
	queues  []queueSight // of its listeners, in their order
	repairs []repairSight
	stopped bool
	doing   string // of a suspect, for people
	memory  uint64
}

// queueSight is what was seen of one accept queue.
type queueSight struct {
	listener.Queue
	known bool // it is the worker's own, and the listener tells
	// Of a suspect:
	held  []uint64 // the connections that it has open; nil if they cannot be seen
	stirs bool     // the queue got shorter while somebody looked
}

// lookAt looks at all of them. What cannot be read is not seen: the worker may be gone by now. It may block.
func (w World) lookAt(kind roundKind, targets []target) []sight {
	seen := make([]sight, len(targets))
	for i, t := range targets {
		s := &seen[i]
		*s = sight{target: t, at: time.Now()}
		if t.repair {
			s.repairs = repairAll(t)
		}
		switch kind {
		case forHangs:
			w.lookAtQueues(s)
		case forMemory:
			if w.Memory != nil {
				s.memory, _ = w.Memory(t.pid)
			}
		}
	}
	if kind == forHangs {
		stare(seen)
	}
	return seen
}

func (w World) lookAtQueues(s *sight) {
	if w.Stopped != nil {
		s.stopped, _ = w.Stopped(s.pid)
	}
	s.queues = make([]queueSight, len(s.listeners))
	for i, l := range s.listeners {
		if l.Mode() != listener.Sharded { // a shared queue is everybody's
			continue
		}
		q, err := l.Queue(s.ref.Slot, side(s.ref.Side))
		s.queues[i] = queueSight{Queue: q, known: err == nil}
		if s.suspect && err == nil && q.Length > 0 && w.Connections != nil {
			s.queues[i].held = w.connections(s.pid, l.Port(s.ref.Slot))
		}
	}
	if s.suspect && w.Doing != nil {
		s.doing = w.Doing(s.pid)
	}
}

// connections is nil only if they cannot be seen.
func (w World) connections(pid, port int) []uint64 {
	held, err := w.Connections(pid, port)
	if err == nil && held == nil {
		return []uint64{}
	}
	return held
}

// How long, and how often, the queues of suspects are looked at in one go. A worker that accepts a connection each
// millisecond makes even a full queue shorter for a moment.
const (
	stareEvery = 2 * time.Millisecond
	stareTimes = 25
)

// stare looks at the queues of all suspects at once, again and again, for one that gets shorter.
func stare(seen []sight) {
	var all []*queueSight
	var ask []func() (listener.Queue, error)
	for i := range seen {
		s := &seen[i]
		for j := range s.queues {
			if q := &s.queues[j]; s.suspect && q.known && q.Length > 0 {
				all = append(all, q)
				ask = append(ask, func() (listener.Queue, error) { return s.listeners[j].Queue(s.ref.Slot, side(s.ref.Side)) })
			}
		}
	}
	if len(all) == 0 {
		return
	}
	tick := time.NewTicker(stareEvery)
	defer tick.Stop()
	for range stareTimes {
		<-tick.C
		for i, q := range all {
			now, err := ask[i]()
			q.stirs = q.stirs || err != nil || now.Length < q.Length
			q.Queue = now
		}
	}
}
