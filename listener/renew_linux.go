package listener

import "slices"

// renew describes a listener as one whose slots begin anew: each on side A, which is the shard where more connections
// wait, or else the one that was steered to last.
func (h *HandedListener) renew() {
	h.Paused = false
	turned := h.turned()
	for i := range h.Places {
		s := &h.Places[i]
		s.CPUs = nil
		s.Side ^= turned[s.Slot]
	}
	// All places are with their workers again, but for those that had none.
	var members []Member
	for _, m := range h.Members {
		if at := (Member{m.Slot, A}); !slices.Contains(members, at) {
			members = append(members, at)
		}
	}
	h.Members = members
	for _, s := range h.sockets() {
		s.Abandoned = false // see beginAnew
	}
}

// turned is 1 for slots whose side B becomes side A.
func (h *HandedListener) turned() map[int]Side {
	turned, waiting := map[int]Side{}, map[Member]int{}
	for _, m := range h.Members {
		turned[m.Slot] = m.Side
	}
	for i := range h.Places {
		s := &h.Places[i]
		if q, err := queueOf(s.FD); err == nil && h.Address.Network == networkTCP {
			waiting[s.Member] = q.Length
		}
	}
	for i := range h.Places {
		m := h.Places[i].Member
		other := Member{m.Slot, m.Side ^ B}
		if waiting[m] > waiting[other] {
			turned[m.Slot] = m.Side
		}
	}
	return turned
}

// reappear undoes the pause of a listener whose process ended meanwhile.
func (h *HandedListener) reappear() error {
	if h.File == nil {
		if h.Address.Network != networkTCP {
			return nil
		}
		for _, s := range h.sockets() {
			if err := letIn(s.FD); err != nil {
				return err
			}
		}
		return nil
	}
	f := h.File.taken()
	for _, f.hidden = range []bool{false, true} {
		if f.ours() {
			h.File.Hidden = false
			return f.show()
		}
	}
	return errFileGone
}

// beginAnew abandons all shards: Adopt takes those back that a worker gets. Nothing is relayed before the next change of
// who serves, because until then what is relayed would wait as well.
func (l *Listener) beginAnew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode != Sharded || l.Datagram() {
		return
	}
	for _, s := range l.allLocked() {
		if _, err := setNonblock(s.fd); err == nil {
			s.abandoned = true
		}
	}
}
