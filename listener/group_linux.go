package listener

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// openLocked opens what the request wants beside others, and says what it was at when it failed.
func (l *Listener) openLocked(r request, others []*Listener) (op string, err error) {
	slots := r.slots
	switch {
	case len(r.passed) > 0:
		l.addr, l.end = r.passed[0].at, r.passed[0].endpoint
	case l.addr.isIP():
		if l.end, err = endpointOf(l.addr); err != nil {
			return "open", err
		}
	}
	if err := l.cfg.checkSlots(l.mode, l.Datagram(), slots); err != nil {
		return "open", err
	}
	if err := l.reservedLocked(r, others); err != nil {
		return "open", err
	}
	switch {
	case l.mode == PerSlot:
		op, err = "open", checkFree(l.end, 0, slots)
	case len(r.passed) > 0:
		op, err = "take", l.takeLocked(r.passed, slots)
	case l.addr.Network == networkUnix:
		op = "open"
		l.single, l.file, err = openUnix(l.cfg)
	default:
		op, err = "open", l.openIPLocked(slots)
	}
	if err != nil {
		return op, err
	}
	if l.addr.isIP() {
		l.addr = l.end.address()
	}
	l.slots = slots
	if l.mode == Sharded {
		for slot := range slots {
			l.members = append(l.members, Member{slot, A})
		}
		l.knowLocked()
		if err := l.reattachLocked(); err != nil {
			return "steer", err
		}
		if err := l.attendLocked(); err != nil {
			return "watch", err
		}
	}
	l.rewatchLocked()
	l.forgoLocked()
	return "", nil
}

// forgoLocked abandons the inherited shards that the program does not point to. Clients may have connected to them before
// there was one. That begins with the next change of who serves: what is relayed now would be lost if nobody ever did.
func (l *Listener) forgoLocked() {
	if l.mode != Sharded || l.Datagram() {
		return
	}
	steered := map[*shard]bool{}
	for _, m := range l.members {
		steered[l.table.at(m)] = true
	}
	for _, s := range l.allLocked() {
		s.abandoned = s.from != nil && !steered[s]
	}
}

// reservedLocked looks for ports that others keep for their workers. An inherited socket has its port already.
func (l *Listener) reservedLocked(r request, others []*Listener) error {
	switch {
	case !l.addr.isIP() || len(r.passed) > 0:
		return nil
	case l.mode == PerSlot:
		return reserved(others, l.end, r.slots)
	}
	return reserved(others, l.end, 1)
}

// openIPLocked opens an address of our own. The first socket of a group gets a program that sends everything to itself
// before it listens, so that no connection ever goes to a shard before its time.
func (l *Listener) openIPLocked(slots int) error {
	var err error
	if l.end, err = claim(l.end); err != nil {
		return err
	}
	share := exclusive
	if l.mode == Sharded {
		share = grouped
	}
	fd, err := newSocket(l.end, share, -1)
	if err != nil {
		return err
	}
	first, err := newShard(fd)
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	if l.mode == Sharded {
		if err := attachConstant(fd, 0); err != nil {
			l.fallBackLocked(err)
		}
	}
	if l.mode == Shared {
		l.single = first
		return l.startLocked(first)
	}
	l.table.spare = append(l.table.spare, first)
	if err := l.startLocked(first); err != nil {
		return err
	}
	l.group = l.group.add(first)
	// The first socket belongs to slot 0 side A, the first place there is.
	if err := l.table.fill(slots, l.openShardLocked); err != nil {
		return err
	}
	return l.aloneLocked()
}

// startLocked makes a stream socket listen, unless new connections are kept out of those of a paused listener as well.
func (l *Listener) startLocked(s *shard) error {
	if l.Datagram() {
		return nil
	}
	if l.paused {
		if err := keepOut(s.fd); err != nil {
			return err
		}
	}
	return s.listenOn(l.backlogLocked(s))
}

// openShardLocked appends a socket of ours to the group.
func (l *Listener) openShardLocked() (*shard, error) {
	like := -1
	if l.group[0].from != nil {
		like = l.group[0].fd
	}
	fd, err := newSocket(l.end, grouped, like)
	if err != nil {
		return nil, err
	}
	s, err := newShard(fd)
	if err == nil {
		err = l.startLocked(s)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	l.group = l.group.add(s)
	return s, nil
}

// undoLocked closes what growth that failed has appended to the group since it had before shards. The program points to
// none of them yet, and closing the last of a group moves no other.
func (l *Listener) undoLocked(before int) {
	for len(l.group) > before {
		s := l.group[len(l.group)-1]
		l.group = l.group.remove(s)
		l.table.spare = slices.DeleteFunc(l.table.spare, func(other *shard) bool { return other == s })
		s.close()
	}
}

// aloneLocked makes sure that nobody else is in the group, where he would take part of the connections and half of the
// indexes would be wrong.
func (l *Listener) aloneLocked() error {
	ours := map[uint64]bool{}
	for _, s := range l.group {
		ours[s.inode] = true
	}
	return foreign(l.end, func(inode uint64) bool { return ours[inode] })
}

func (l *Listener) fallBackLocked(why error) {
	l.mode = Shared
	l.news = append(l.news, Event{Kind: EventFellBack, Listener: l.cfg.Name, Slot: -1, Err: why})
}

// takeLocked begins with inherited sockets.
func (l *Listener) takeLocked(all []passed, slots int) error {
	var taken []*shard
	for _, p := range all {
		s, err := newShard(p.FD)
		if err != nil {
			return err
		}
		s.from = &p
		s.backlog = p.backlog
		taken = append(taken, s)
	}
	if l.mode == Sharded {
		return l.joinLocked(taken, slots)
	}
	l.single = taken[0]
	return l.relistenLocked(taken[0])
}

// joinLocked makes one group of inherited sockets and ours.
func (l *Listener) joinLocked(taken []*shard, slots int) error {
	if err := attachConstant(taken[0].fd, 0); err != nil {
		if len(taken) > 1 {
			return err
		}
		l.single = taken[0]
		l.fallBackLocked(err)
		return nil
	}
	taken, err := l.orderLocked(taken)
	if err != nil {
		return err
	}
	for _, s := range taken {
		l.group = l.group.add(s)
		if err := l.relistenLocked(s); err != nil {
			return err
		}
	}
	l.table.spare = append(l.table.spare, taken...)
	if err := l.aloneLocked(); err != nil {
		return err
	}
	err = errForeignNetwork
	if sameNetwork(taken[0].fd) {
		err = l.table.fill(slots, l.openShardLocked)
	}
	if err == nil {
		return l.aloneLocked()
	}
	if len(l.group) > len(taken) || errors.Is(err, unix.EMFILE) {
		return err
	}
	// Not one of ours got in: systemd opened the socket as another user, in another network, or on a port that is too low
	// for us. All connections then go to the first; what the others have queued is relayed to it.
	l.single, l.table.spare = taken[0], taken[1:]
	for _, s := range taken[1:] {
		s.abandoned = true
	}
	l.fallBackLocked(fmt.Errorf("cannot add sockets to those of systemd: %w", err))
	return nil
}

var errForeignNetwork = errors.New("they are in another network namespace")
