package listener

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Repair is a set of what Restore had to put back.
type Repair uint8

// What a worker can spoil for all who share its socket.
const (
	Revived  Repair = 1 << iota // it was shut down
	Nonblock                    // O_NONBLOCK was cleared
	Backlog                     // the worker's listen(2) had changed it
)

func (r Repair) String() string {
	var words []string
	for i, name := range []string{"revived", "nonblock", "backlog"} {
		if r&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, " ")
}

// Restore puts back what a worker may have changed on the socket of a place:
// the listening state, O_NONBLOCK and the backlog. It returns what it had to put
// back, which is the doing of the worker that has the place, unless the socket is
// shared. Other places that were shut down are revived on the way, because only
// all of them together tell the indexes; Options.Report is told of each.
//
// Worth a call when a worker has become ready, because many call listen(2) with a
// backlog of their own, and when it has died, so that its successor is not blamed.
// It loses no connection, but those that a shutdown(2) has reset already.
func (l *Listener) Restore(slot int, side Side) (Repair, error) {
	repair, events, err := l.restore(slot, side)
	l.set.report(events...)
	return repair, err
}

func (l *Listener) restore(slot int, side Side) (Repair, []Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shardLocked(slot, side)
	if s == nil {
		return 0, nil, nil
	}
	repair, others, err := l.restoreLocked(s)
	if err != nil {
		err = fmt.Errorf("cannot restore listener %s slot %d side %s: %w", l.cfg.Name, slot, side, err)
	}
	return repair, l.revivedLocked(others), err
}

// restoreLocked returns what was to be done, and who else was revived.
func (l *Listener) restoreLocked(s *shard) (repair Repair, others []*shard, err error) {
	cleared, err := setNonblock(s.fd)
	if err != nil {
		return 0, nil, err
	}
	if cleared {
		repair = Nonblock
	}
	switch {
	case l.addr.Network == networkUnix:
		// A unix socket does not tell its backlog; to set it again costs nothing. That of systemd's we do not know.
		if s.backlog != 0 {
			err = listen(s)
		}
		return repair, nil, err
	case l.Datagram():
		return repair, nil, nil
	case !accepting(s.fd):
		others, err = l.reviveLocked(s)
		if i := slices.Index(others, s); i >= 0 {
			repair |= Revived
			others = slices.Delete(others, i, i+1)
		}
		return repair, others, err
	}
	q, err := queueOf(s.fd)
	if err != nil || q.Backlog == s.backlog {
		return repair, nil, err
	}
	if err := listen(s); err != nil {
		return repair, nil, err
	}
	return repair | Backlog, nil, nil
}

// listen calls listen(2) with the backlog that the socket had.
func listen(s *shard) error {
	if err := unix.Listen(s.fd, s.backlog); err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	return nil
}

// setNonblock sets O_NONBLOCK, which belongs to all holders of the socket, and tells whether it was off.
func setNonblock(fd int) (cleared bool, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return false, fmt.Errorf("cannot read flags: %w", err)
	}
	if flags&unix.O_NONBLOCK != 0 {
		return false, nil
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return false, fmt.Errorf("cannot set O_NONBLOCK: %w", err)
	}
	return true, nil
}
