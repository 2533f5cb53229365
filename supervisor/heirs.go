package supervisor

import (
	"slices"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// isOutlived reports whether another process of our service comes when this one has ended, and finds what waits in queues
// of this pool. Nobody says whether it is to come: the signal is the same for a stop.
func (p *pool) isOutlived() bool {
	return !p.sup.forGood && slices.ContainsFunc(p.edition().listeners, func(l seat) bool {
		for slot := range p.st.Slots {
			if outlives(l, listener.Member{Slot: slot, Side: listener.A}) || outlives(l, listener.Member{Slot: slot, Side: listener.B}) {
				return true
			}
		}
		return false
	})
}

// outlives reports whether connections may be made to wait at a place. Datagrams are not: those of who is being served must
// reach its worker.
func outlives(l Listener, at listener.Member) bool {
	return l.Mode() == listener.Sharded && !l.Datagram() && l.Outlives(at.Slot, at.Side)
}

// part has connections wait for the next process of our service, where it finds them. Elsewhere our workers take them to
// the end.
func (p *pool) part(places []machine.Place) {
	for _, l := range p.edition().listeners {
		var members []listener.Member
		for _, at := range places {
			if m := (listener.Member{Slot: at.Slot, Side: side(at.Side)}); outlives(l, m) {
				members = append(members, m)
			}
		}
		if len(members) == 0 {
			continue
		}
		if err := l.Steer(members); err != nil {
			p.failed(l)("cannot steer", err)
			continue
		}
		p.log.Info().Str(keyListener, l.Name()).Msg("connections wait for the next process of the service")
	}
}

// partTime is how long workers serve what they have when they are steered away from for a stop.
func (p *pool) partTime() time.Duration {
	if p.isOutlived() {
		return p.st.Spec.Settle
	}
	return 0
}
