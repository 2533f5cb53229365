package supervisor

import (
	"slices"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// steer does what the last Steer said. It waits for the end of a batch of messages, because a thousand workers that
// become ready at once need one program and not a thousand, but never longer than until somebody is told to leave.
func (p *pool) steer() {
	if p.steerTo == nil {
		return
	}
	places := p.steerTo
	p.steerTo = nil
	if p.st.Phase == machine.Stopping {
		p.part(places)
		return
	}
	for _, l := range p.listeners() {
		var members []listener.Member
		for _, at := range places {
			if at.Slot >= len(p.st.Slots) {
				continue // all have died since, and it was not wanted any more
			}
			slot := &p.st.Slots[at.Slot]
			generation := slot.Workers[at.Side].Generation
			if !slot.Workers[at.Side].Health.HasProcess() {
				generation = slot.Generation // who is to come
			}
			if p.editions[generation].has(l.Listener) {
				members = append(members, listener.Member{Slot: at.Slot, Side: side(at.Side)})
			}
		}
		p.steerTowards(l, members)
	}
}

// steerTowards steers one listener. One that the pool is about to give up, and that no worker serves who stays, takes
// no further connections: those that wait in its queues are served by the workers that are on their way out.
func (p *pool) steerTowards(l seat, members []listener.Member) {
	house := p.sup.house
	switch {
	case len(members) > 0:
		house.resume(l.Listener, p.failed(l))
		if err := l.Steer(members); err != nil {
			p.failed(l)("cannot steer", err)
		}
	case p.edition().has(l.Listener): // what comes waits for the next worker
	case p.sup.wants(l.Listener):
		p.handOver(l)
	default:
		house.pause(l.Listener, p.failed(l))
	}
}

// handOver steers a listener that another pool is about to take to places where no worker of this one serves it. What
// comes waits there until the other pool steers, and is then relayed to its workers. Left to those on their way out it
// would reach them until the moment they are told to leave. Nothing happens to a listener that the other pool has already,
// or that several share, nor to datagrams, which nobody relays.
func (p *pool) handOver(l seat) {
	taken := slices.ContainsFunc(p.sup.pools, func(q *pool) bool {
		return q != p && q.station == running && q.st.Phase == machine.Serving && q.edition().has(l.Listener)
	})
	if taken || l.Datagram() {
		return
	}
	var vacant []listener.Member
	for slot := range p.st.Slots {
		for at, w := range p.st.Slots[slot].Workers {
			serves := w.Health.HasProcess() && p.editions[w.Generation].has(l.Listener)
			if place := (listener.Member{Slot: slot, Side: side(machine.Side(at))}); !serves {
				vacant = append(vacant, place)
				if err := l.Abandon(place.Slot, place.Side); err != nil {
					p.failed(l)("cannot abandon queue", err)
				}
			}
		}
	}
	if len(vacant) == 0 {
		return // where there is no room, a moment's connections are left to who leaves
	}
	if err := l.Steer(vacant); err != nil {
		p.failed(l)("cannot hand listener over", err)
	}
}

// failed logs what went wrong with a listener.
func (p *pool) failed(l seat) func(what string, err error) {
	return func(what string, err error) {
		p.log.Error().Err(err).Str(keyListener, l.Name()).Msg(what)
	}
}

// listeners are those of all editions that have workers, or are to have them.
func (p *pool) listeners() []seat {
	if len(p.editions) == 1 {
		return p.edition().listeners
	}
	var all []seat
	generations := make([]uint64, 0, len(p.editions))
	for g := range p.editions {
		generations = append(generations, g)
	}
	slices.Sort(generations)
	for _, g := range generations {
		for _, l := range p.editions[g].listeners {
			if !slices.ContainsFunc(all, func(s seat) bool { return s.Listener == l.Listener }) {
				all = append(all, l)
			}
		}
	}
	return all
}

func (p *pool) eachListener(failed string, do func(Listener) error) {
	for _, l := range p.listeners() {
		if err := do(l); err != nil {
			p.failed(l)(failed, err)
		}
	}
}

func side(s machine.Side) listener.Side { return listener.Side(s) }
