package listener

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Close ends the relays of the listener, closes its sockets and removes the file of a unix socket that we made. Other
// listeners go on. Inherited sockets stay open and become spare ones of the Set as they came, with what waits in them,
// so that a later Open can take them.
//
// Everything that waits in our own sockets is reset, and TCP sockets end for workers that still have a copy as well,
// because the address would not be free for a later Open otherwise. So the caller should Pause first, and Close when
// Queued is 0 and no worker accepts any more. A second Close returns ErrClosed.
func (l *Listener) Close() error {
	s := l.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.listeners, l) && !slices.Contains(s.handed, l) {
		return fmt.Errorf("cannot close listener %s: %w", l.Name(), ErrClosed)
	}
	is := func(other *Listener) bool { return other == l }
	s.listeners, s.handed = slices.DeleteFunc(s.listeners, is), slices.DeleteFunc(s.handed, is)
	err := l.close()
	s.spare = append(s.spare, l.passed...)
	return err
}

// close is Close without the Set's part. The caller holds the lock of the Set, or nobody else knows the listener yet.
func (l *Listener) close() error {
	l.mu.Lock()
	l.closed = true
	err := l.releaseLocked()
	l.mu.Unlock()
	l.rest()
	if err != nil {
		return fmt.Errorf("cannot give back the sockets of listener %s: %w", l.Name(), err)
	}
	return nil
}

func (l *Listener) releaseLocked() error {
	for _, s := range l.allLocked() {
		l.watchLocked(s, watchNothing)
		if s.from != nil {
			continue
		}
		if l.addr.Network == networkTCP {
			_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
		}
		s.close()
	}
	if l.file != nil {
		l.file.remove()
	}
	var all []error
	for _, s := range l.allLocked() {
		if s.from != nil {
			all = append(all, l.giveBackLocked(s))
		}
	}
	return errors.Join(all...)
}

// giveBackLocked makes an inherited socket what it was. The service manager has a copy, which would keep our program and
// our filter.
func (l *Listener) giveBackLocked(s *shard) error {
	if _, err := setNonblock(s.fd); err != nil {
		return err
	}
	if l.addr.Network != networkTCP {
		detach(s.fd)
		return nil
	}
	if l.paused {
		if err := letIn(s.fd); err != nil {
			return err
		}
	}
	if q, err := queueOf(s.fd); err != nil || q.Backlog != s.from.backlog {
		if err := unix.Listen(s.fd, s.from.backlog); err != nil {
			return fmt.Errorf("cannot listen: %w", err)
		}
	}
	detach(s.fd)
	return nil
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
