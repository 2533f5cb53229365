package listener

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Hand describes the Set for Restore in another process, or in this one with other descriptors. It changes nothing but
// that sockets which a worker shut down are revived first, because only then their indexes are known. What happens to the
// Set afterwards is not in the description: so nobody may use it until the other process has taken over. Relays belong to
// this process; Quiesce before makes of them something that can be handed.
//
// When the other process has the sockets, end this one's part with Leave.
func (s *Set) Hand() (Handed, error) {
	s.mu.Lock()
	h, events, err := s.handLocked()
	s.mu.Unlock()
	s.report(events...)
	return h, err
}

func (s *Set) handLocked() (h Handed, events []Event, err error) {
	if s.closed {
		return h, nil, fmt.Errorf("cannot hand over listeners: %w", ErrClosed)
	}
	for _, l := range slices.Concat(s.listeners, s.handed) {
		one, news, err := l.hand()
		events = append(events, news...)
		if err != nil {
			return h, events, fmt.Errorf("cannot hand over listener %s: %w", l.Name(), err)
		}
		h.Listeners = append(h.Listeners, one)
	}
	for _, p := range s.spare {
		one, err := descriptorOf(p.FD)
		if err != nil {
			return h, events, fmt.Errorf("cannot hand over socket %s: %w", p.Name, err)
		}
		h.Spare = append(h.Spare, HandedSocket{HandedDescriptor: one, Index: outside, Passed: p.hand()})
	}
	return h, events, nil
}

func (l *Listener) hand() (h HandedListener, events []Event, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addr.Network == networkTCP && slices.ContainsFunc(l.allLocked(), func(s *shard) bool { return !accepting(s.fd) }) {
		var revived []*shard
		if revived, err = l.reviveAllLocked(); err != nil {
			return h, nil, err
		}
		events = l.revivedLocked(revived)
	}
	h = HandedListener{
		Config: l.cfg, Tried: l.tried, Mode: l.mode, Address: l.addr, Slots: l.slots, Paused: l.paused,
		Members: slices.Clone(l.members), Resteered: l.resteeredLocked(),
	}
	for slot, known := range l.known {
		if known {
			h.Known = append(h.Known, slot)
		}
	}
	if h.File, err = l.file.hand(); err != nil {
		return h, events, err
	}
	if h.Relays, err = l.relays.hand(); err != nil {
		return h, events, err
	}
	return h, events, l.handSocketsLocked(&h)
}

func (l *Listener) handSocketsLocked(h *HandedListener) error {
	for _, s := range l.allLocked() {
		one, err := s.hand()
		switch {
		case err != nil:
			return err
		case s == l.single:
			h.Single = &one
		case l.table.at(s.place) == s:
			h.Places = append(h.Places, one)
		default:
			h.Spare = append(h.Spare, one)
		}
	}
	return nil
}

func (s *shard) hand() (HandedSocket, error) {
	d, err := descriptorOf(s.fd)
	h := HandedSocket{
		HandedDescriptor: d, Member: s.place, Index: s.index, Backlog: s.backlog,
		Abandoned: s.abandoned, CPUs: slices.Clone(s.cpus), Knocks: slices.Clone(s.knocks),
	}
	if s.from != nil {
		h.Passed = s.from.hand()
	}
	return h, err
}

func (p *passed) hand() *HandedPassed {
	return &HandedPassed{Name: p.Name, Given: p.given, Backlog: p.backlog}
}

func (f *socketFile) hand() (*HandedFile, error) {
	if f == nil {
		return nil, nil //nolint:nilnil // there is no file, which is no error
	}
	lock, err := descriptorOf(f.lock.fd)
	return &HandedFile{Path: f.path, Dev: f.dev, Inode: f.ino, UID: f.uid, GID: f.gid, Hidden: f.hidden, Lock: lock}, err
}

// descriptorOf says what a descriptor is. The inode of a socket is its own for as long as it lives, in all processes.
func descriptorOf(fd int) (HandedDescriptor, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return HandedDescriptor{}, fmt.Errorf("cannot look at descriptor %d: %w", fd, err)
	}
	return HandedDescriptor{FD: fd, Dev: st.Dev, Inode: st.Ino}, nil
}

// Leave ends our part and nothing else: the relays, the watch, and the descriptors of this process. The sockets live on
// with whoever has copies; files of unix sockets stay. Listeners with one of the names in but are closed instead. A Set that
// was left is closed.
func (s *Set) Leave(but ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for _, l := range slices.Concat(s.listeners, s.handed) {
		if slices.Contains(but, l.Name()) {
			_ = l.close() // the sockets of the service manager are as they are
		} else {
			l.leave()
		}
		for _, p := range l.passed {
			p.close()
		}
	}
	for _, p := range s.spare {
		p.close()
	}
	s.listeners, s.handed, s.spare = nil, nil, nil
}

func (l *Listener) leave() {
	l.mu.Lock()
	l.closed = true
	for _, s := range l.allLocked() {
		l.watchLocked(s, watchNothing)
		if s.from == nil {
			s.close()
		}
	}
	if l.file != nil {
		_ = unix.Close(l.file.lock.fd)
	}
	l.mu.Unlock()
	l.relays.leave()
	l.rest()
}

// rest ends the goroutines of a listener that is closed. The caller must not hold its lock.
func (l *Listener) rest() {
	if l.lookout != nil { // nobody makes one any more
		l.lookout.close()
	}
	l.relays.close()
}
