package supervisor

import "github.com/broodctl/brood/listener"

// queues is what the sockets tell.
type queues struct {
	workers   map[process]*QueueView
	listeners map[Listener]*QueueView
}

func readQueues(snap *Snapshot) queues {
	found := queues{workers: map[process]*QueueView{}, listeners: map[Listener]*QueueView{}}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		for j := range p.Listeners {
			from := p.Listeners[j].from
			if q, err := from.Queues(); err == nil {
				v := &QueueView{}
				v.add(q)
				found.listeners[from] = v
			}
		}
		for j := range p.Workers {
			if w := &p.Workers[j]; w.PID != 0 {
				if v := w.readQueue(); v != nil {
					found.workers[w.process()] = v
				}
			}
		}
	}
	return found
}

// readQueue adds up the sockets that are the worker's own; nil if there are none.
func (w *WorkerView) readQueue() *QueueView {
	var all *QueueView
	for _, l := range w.seats {
		if l.Mode() != listener.Sharded {
			continue
		}
		q, err := l.Queue(w.Slot, w.side)
		if err != nil {
			continue // of UDP, or closed
		}
		if all == nil {
			all = &QueueView{}
		}
		all.add(q)
	}
	return all
}

func (v *QueueView) add(q listener.Queue) {
	v.Depth += uint64(q.Length)
	v.Capacity += uint64(q.Backlog)
	v.Drops += q.Drops
}
