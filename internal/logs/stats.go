package logs

import (
	"cmp"
	"slices"
)

// Stat counts what the workers of one slot wrote since New, in modes other than Inherit.
type Stat struct {
	Pool  string
	Slot  int // or NoSlot
	Lines uint64
	Bytes uint64
	// LostLines and LostBytes did not get where they should. The bytes are counted as they would have been written.
	LostLines, LostBytes uint64
}

// Stats returns what all slots have written that ever were, in order.
func (m *Mux) Stats() []Stat {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Stat, 0, len(m.sources))
	for at, s := range m.sources {
		all = append(all, Stat{
			Pool: at.pool, Slot: at.slot, Lines: s.read[0].Load(), Bytes: s.read[1].Load(),
			LostLines: s.dropped[0].Load(), LostBytes: s.dropped[1].Load(),
		})
	}
	slices.SortFunc(all, func(a, b Stat) int { return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Slot, b.Slot)) })
	return all
}

// count puts what was read on the account.
func (s *source) count(lines, bytes int) {
	s.read[0].Add(uint64(lines))
	s.read[1].Add(uint64(bytes))
}

// lost puts what was dropped on the account; nil is our own log.
func (s *source) lost(t tally) {
	if s != nil {
		s.dropped[0].Add(t.lines)
		s.dropped[1].Add(t.bytes)
	}
}
