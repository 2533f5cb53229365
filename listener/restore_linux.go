package listener

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Restore makes a Set of what Hand described, with descriptors that this process has. Each of them is looked at first: it
// must be the very socket that was described, on that address, or there is an error that names it and nothing has
// happened. Then they belong to the Set, with FD_CLOEXEC set. Connections are steered as before, paused listeners are
// paused, queues that were abandoned are relayed, and relays that were handed go on.
//
// The listeners are open, and each becomes the caller's by the Open that wants it; see Unclaimed for the rest.
func Restore(h Handed, opt Options) (*Set, error) {
	set, err := restore(h, opt)
	if err != nil {
		return nil, fmt.Errorf("cannot take over listeners: %w", err)
	}
	return set, nil
}

func restore(h Handed, opt Options) (*Set, error) {
	if opt.Poller == nil {
		return nil, errNoPoller
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	if err := h.vouch(); err != nil {
		return nil, err
	}
	s := &Set{opt: opt, rescue: &rescuer{}}
	for i := range h.Spare {
		p, err := passedAgain(&h.Spare[i])
		if err != nil {
			return nil, err
		}
		s.spare = append(s.spare, *p)
	}
	var events []Event
	for i := range h.Listeners {
		one := &h.Listeners[i]
		l, news, err := s.takeOver(one)
		if l != nil {
			s.handed = append(s.handed, l)
		}
		events = append(events, news...)
		if err != nil {
			s.drop()
			return nil, fmt.Errorf("listener %s: %w", one.Config.Name, err)
		}
	}
	for _, d := range h.descriptors() {
		unix.CloseOnExec(d.FD)
	}
	for i, l := range s.handed {
		l.relays.goOn(h.Listeners[i].Relays)
	}
	s.report(events...)
	return s, nil
}

// drop forgets what was taken over, and leaves the descriptors to the caller.
func (s *Set) drop() {
	for _, l := range s.handed {
		l.mu.Lock()
		l.closed = true
		for _, one := range l.allLocked() {
			l.watchLocked(one, watchNothing)
		}
		l.mu.Unlock()
		l.rest()
	}
}

// takeOver makes a listener of its description, which has been checked. After an error it may be half of one.
func (s *Set) takeOver(h *HandedListener) (l *Listener, events []Event, err error) {
	l = &Listener{
		set: s, relays: newRelays(s.rescue), tried: h.Tried, mode: h.Mode, before: h.Resteered, addr: h.Address, cfg: h.Config,
		slots: h.Slots, paused: h.Paused, members: slices.Clone(h.Members), file: h.File.taken(),
	}
	if l.addr.isIP() {
		l.end, _ = endpointOf(l.addr) // checked
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.seatLocked(h); err != nil {
		return l, nil, err
	}
	if l.mode == Sharded {
		for _, slot := range h.Known {
			l.knowSlotLocked(slot)
		}
		l.knowLocked()
	}
	if l.addr.Network == networkTCP {
		revived, err := l.reviveAllLocked() // which attaches the program
		if err != nil {
			return l, nil, err
		}
		events = l.revivedLocked(revived)
	} else if err := l.reattachLocked(); err != nil {
		return l, nil, err
	}
	if err := l.attendLocked(); err != nil {
		return l, events, err
	}
	l.rewatchLocked()
	return l, events, nil
}

// seatLocked gives each socket its place.
func (l *Listener) seatLocked(h *HandedListener) error {
	all := map[*HandedSocket]*shard{}
	byIndex := map[int]*shard{}
	for _, one := range h.sockets() {
		s, err := shardAgain(one)
		if err != nil {
			return err
		}
		if s.from != nil {
			l.passed = append(l.passed, *s.from)
		}
		if s.index != outside {
			byIndex[s.index] = s
		}
		all[one] = s
	}
	for i := range len(byIndex) {
		l.group = append(l.group, byIndex[i])
	}
	l.single = all[h.Single] // nil if there is none
	for i := range h.Spare {
		l.table.spare = append(l.table.spare, all[&h.Spare[i]])
	}
	if l.mode != Sharded {
		return nil
	}
	l.table.slots = make([][sides]*shard, h.Slots)
	for i := range h.Places {
		at := h.Places[i].Member
		l.table.slots[at.Slot][at.Side] = all[&h.Places[i]]
	}
	return nil
}

func shardAgain(h *HandedSocket) (*shard, error) {
	s := &shard{
		fd: h.FD, inode: h.Inode, backlog: h.Backlog, index: h.Index, place: h.Member,
		abandoned: h.Abandoned, cpus: h.CPUs, knocks: h.Knocks,
	}
	if s.abandoned { // the poller's goroutine must not block
		if _, err := setNonblock(s.fd); err != nil {
			return nil, err
		}
	}
	if h.Passed == nil {
		return s, nil
	}
	var err error
	s.from, err = passedAgain(h)
	return s, err
}

func passedAgain(h *HandedSocket) (*passed, error) {
	p, err := examine(Inherited{FD: h.FD, Name: h.Passed.Name})
	p.given, p.backlog = h.Passed.Given, h.Passed.Backlog
	return &p, err
}

func (h *HandedFile) taken() *socketFile {
	if h == nil {
		return nil
	}
	return &socketFile{
		path: h.Path, dev: h.Dev, ino: h.Inode, uid: h.UID, gid: h.GID, hidden: h.Hidden,
		lock: &lockFile{path: lockPath(h.Path), fd: h.Lock.FD},
	}
}
