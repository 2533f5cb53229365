package listener

import (
	"net/netip"
	"slices"
)

// outside is the index of a socket that is in no group, or not in it at the moment.
const outside = -1

// watching says what the poller tells us of a socket.
type watching uint8

const (
	watchNothing watching = iota
	watchHangup           // somebody called shutdown(2)
	watchQueue            // somebody connected, and nobody but us will accept
)

// shard is one socket that we hold.
type shard struct {
	fd        int
	inode     uint64
	backlog   int     // as the kernel granted it
	from      *passed // what it was inherited as; nil if we opened it
	index     int     // in the kernel's group; outside if it is in none
	place     Member
	abandoned bool
	busy      bool  // connections wait in it, as the lookout last saw
	cpus      []int // its worker is pinned to; none if it is not
	watch     watching
	knocks    []netip.AddrPort // where connections of our own come from that wait in it, until a worker has had it
}

// group is the kernel's view of the shards of one address: what is at i has index
// i. The kernel appends at listen(2), for UDP at bind(2), and fills the hole of a
// socket that goes with the last one; see net/core/sock_reuseport.c.
type group []*shard

func (g group) add(s *shard) group {
	s.index = len(g)
	return append(g, s)
}

func (g group) remove(s *shard) group {
	last := g[len(g)-1]
	g[s.index] = last
	last.index = s.index
	s.index = outside
	return g[:len(g)-1]
}

// table says which shard a place has.
type table struct {
	slots [][sides]*shard
	spare []*shard // inherited sockets beyond 2 x slots, and what a fill that failed had opened
}

func (t *table) at(m Member) *shard {
	if m.Slot < 0 || m.Slot >= len(t.slots) || m.Side >= sides {
		return nil
	}
	return t.slots[m.Slot][m.Side]
}

// vacant lists the places that slots slots have and t has not: first all A, because those of inherited sockets that
// come first shall serve first, then all B.
func (t *table) vacant(slots int) []Member {
	var places []Member
	for side := range Side(sides) {
		for slot := len(t.slots); slot < slots; slot++ {
			places = append(places, Member{slot, side})
		}
	}
	return places
}

// fill gives vacant places their shards, spare ones first, and asks open for the rest in the order slot by slot, so that
// the indexes of one side are evenly spaced. When open fails no place is filled, and what did open is spare.
func (t *table) fill(slots int, open func() (*shard, error)) error {
	places := t.vacant(slots)
	old := min(len(t.spare), len(places))
	fresh := slices.Clone(places[old:])
	slices.SortFunc(fresh, func(a, b Member) int { return (a.Slot-b.Slot)*sides + int(a.Side) - int(b.Side) })
	opened := make([]*shard, 0, len(fresh))
	for range fresh {
		s, err := open()
		if err != nil {
			t.spare = append(t.spare, opened...)
			return err
		}
		opened = append(opened, s)
	}
	if more := slots - len(t.slots); more > 0 {
		t.slots = append(t.slots, make([][sides]*shard, more)...)
	}
	for i, place := range places[:old] {
		t.put(place, t.spare[i])
	}
	for i, place := range fresh {
		t.put(place, opened[i])
	}
	t.spare = t.spare[old:]
	return nil
}

func (t *table) put(place Member, s *shard) {
	s.place, s.abandoned = place, false
	t.slots[place.Slot][place.Side] = s
}
