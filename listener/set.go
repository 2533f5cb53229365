package listener

import (
	"errors"
	"fmt"
	"sync"
)

// Set is all listeners of a pool.
type Set struct {
	opt       Options
	listeners []*Listener
	rescue    *rescuer

	mu     sync.Mutex // of Grow and Close
	closed bool
}

// Open opens all listeners for slots slots, or none. inherited are the sockets of
// FromSystemd; a Config takes those that it names (systemd:NAME) or whose address
// it has. Those that no Config takes form listeners of their own with their
// FileDescriptorName. Several of one address form one listener. They belong to
// the Set once Open has succeeded, and stay the caller's and open when it fails.
//
// A sharded listener that the kernel cannot steer, or whose group we may not join,
// is shared instead, and Options.Report is told.
//
// It refuses with EMFILE, before it opens anything, when the process may not have
// as many descriptors as the sockets and the workers of all slots will take.
//
// Errors are *OpenError.
func Open(cfgs []Config, inherited []Inherited, slots int, opt Options) (*Set, error) {
	if opt.Poller == nil || slots < 1 {
		return nil, errors.New("cannot open listeners: a poller and at least one slot are needed")
	}
	claims, err := assign(cfgs, inherited)
	if err != nil {
		return nil, err
	}
	if err := affordOpen(claims, slots); err != nil {
		return nil, err
	}
	s := &Set{opt: opt, rescue: newRescuer()}
	for _, c := range claims {
		l, err := s.open(c, slots)
		if err != nil {
			s.abort()
			return nil, err
		}
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

// open opens one listener. When it fails it has closed what it opened.
func (s *Set) open(c request, slots int) (*Listener, error) {
	l := &Listener{cfg: c.cfg, set: s, addr: c.cfg.Address}
	op, err := l.openLocked(c, slots)
	if err != nil {
		l.close(keepInherited)
		return nil, openError(l.cfg, l.end, op, err)
	}
	return l, nil
}

// Listeners are in the order of the configs, then those that only systemd named. The caller must not change the slice.
func (s *Set) Listeners() []*Listener { return s.listeners }

// Grow makes room for slots slots and never takes any away. New shards get no connections before Steer says so. After an
// error the listeners that had room keep it, the one that failed has what it had before, and Grow may be repeated. Like Open
// it refuses beforehand what would take too many descriptors. The error is an *OpenError.
func (s *Set) Grow(slots int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("cannot grow: %w", ErrClosed)
	}
	if err := s.affordGrow(slots); err != nil {
		return err
	}
	for _, l := range s.listeners {
		if err := l.grow(slots); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the relays, closes all sockets and removes the files of unix sockets that we made. What waits in queues is
// reset, so the workers should be gone. A second Close returns ErrClosed.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	for _, l := range s.listeners {
		l.close(closeAll)
	}
	s.rescue.close()
	return nil
}

// abort is Close of a Set that never came to be.
func (s *Set) abort() {
	for _, l := range s.listeners {
		l.close(keepInherited)
	}
	s.rescue.close()
}

func (s *Set) report(events ...Event) {
	if s.opt.Report == nil {
		return
	}
	for _, ev := range events {
		s.opt.Report(ev)
	}
}

// closing says what becomes of inherited sockets.
type closing uint8

const (
	closeAll closing = iota
	keepInherited
)

func (l *Listener) close(how closing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var kept *shard
	for _, s := range l.allLocked() {
		l.watchLocked(s, watchNothing)
		if s.inherited && s.index != outside {
			kept = s // systemd keeps a copy, whose group should not keep our program
		}
		if !s.inherited {
			s.close()
		}
	}
	if kept != nil {
		detach(kept.fd)
	}
	if l.file != nil {
		l.file.remove()
	}
	if how == keepInherited {
		return
	}
	for _, s := range l.allLocked() {
		if s.inherited {
			s.close()
		}
	}
}

// allLocked lists every socket once.
func (l *Listener) allLocked() []*shard {
	var all []*shard
	for _, slot := range l.table.slots {
		for _, s := range slot {
			if s != nil {
				all = append(all, s)
			}
		}
	}
	all = append(all, l.table.spare...)
	if l.single != nil {
		all = append(all, l.single)
	}
	return all
}
