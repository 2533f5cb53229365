package plan

import (
	"fmt"

	"github.com/broodctl/brood/listener"
)

// compareListeners finds out which listeners are opened, changed in place and closed. One whose name alone changed is
// adjusted; its pool is rolled, because workers find it by its name.
func (p *Plan) compareListeners() error {
	taken := map[int]bool{}
	for i := range p.New.Listeners {
		to := &p.New.Listeners[i]
		at := indexOf(p.Old.Listeners, KeyOf(to))
		if at < 0 || taken[at] {
			if from := sameAddress(p.Old.Listeners, to); from != nil {
				return fmt.Errorf("the mode of listener %s on %s changes from %s to %s, which %w: stop brood and start it anew",
					to.Name, to.Address, from.Mode, to.Mode, ErrOrder)
			}
			p.Listeners = append(p.Listeners, ListenerChange{Kind: Added, Name: to.Name, Address: to.Address.String(), From: -1, To: i})
			continue
		}
		taken[at] = true
		from := &p.Old.Listeners[at]
		c := ListenerChange{Kind: Kept, Name: to.Name, Address: to.Address.String(), From: at, To: i}
		c.Reasons = unequal(
			field{"name", from.Name, to.Name},
			field{"steer", from.Steer, to.Steer},
			field{"queue_aware", from.QueueAware, to.QueueAware},
			field{"backlog", from.Backlog, to.Backlog},
			field{"perm", from.Perm, to.Perm},
			field{"owner", [2]string{from.Owner, from.Group}, [2]string{to.Owner, to.Group}},
		)
		if len(c.Reasons) > 0 {
			c.Kind = Adjusted
		}
		p.Listeners = append(p.Listeners, c)
	}
	for i := range p.Old.Listeners {
		if l := &p.Old.Listeners[i]; !taken[i] {
			p.Listeners = append(p.Listeners, ListenerChange{Kind: Removed, Name: l.Name, Address: l.Address.String(), From: i, To: -1})
		}
	}
	return nil
}

func indexOf(all []listener.Config, key Key) int {
	for i := range all {
		if KeyOf(&all[i]) == key {
			return i
		}
	}
	return -1
}

// sameAddress finds the listener that has the address in another mode: its sockets would be in the way of the new ones.
func sameAddress(all []listener.Config, l *listener.Config) *listener.Config {
	for i := range all {
		if all[i].Address == l.Address && all[i].Mode != l.Mode {
			return &all[i]
		}
	}
	return nil
}
