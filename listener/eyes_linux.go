package listener

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Queue says how many connections wait to be accepted, and how many may.
type Queue struct{ Length, Backlog int }

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

const tcpListen = 10 // TCP_LISTEN of include/net/tcp_states.h

// Queue reads the accept queue of a place's TCP socket, without any privilege; see
// TCP_INFO in tcp(7). A socket that was shut down has none. The error is ErrNoQueue
// for sockets that do not tell: unix, UDP, per-slot.
func (l *Listener) Queue(slot int, side Side) (Queue, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shardLocked(slot, side)
	if s == nil || l.addr.Network != networkTCP {
		return Queue{}, fmt.Errorf("cannot read queue of listener %s slot %d side %s: %w", l.cfg.Name, slot, side, ErrNoQueue)
	}
	q, err := queueOf(s.fd)
	if err != nil {
		return Queue{}, fmt.Errorf("cannot read queue of listener %s: %w", l.cfg.Name, err)
	}
	return q, nil
}

// queueOf relies on tcp_get_info of net/ipv4/tcp.c, where the fields of listeners mean something else than for
// connections.
func queueOf(fd int) (Queue, error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return Queue{}, fmt.Errorf("cannot read TCP_INFO: %w", err)
	}
	if info.State != tcpListen {
		return Queue{}, nil
	}
	return Queue{Length: int(info.Unacked), Backlog: int(info.Sacked)}, nil
}

// Queued counts the connections that wait to be accepted in all sockets together, as Queue does for one. Handshakes that
// have not ended are not among them. The error is ErrNoQueue for listeners that do not tell: unix, UDP, per-slot.
func (l *Listener) Queued() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.addr.Network != networkTCP || l.mode == PerSlot {
		return 0, fmt.Errorf("cannot read queues of listener %s: %w", l.cfg.Name, ErrNoQueue)
	}
	n := 0
	for _, s := range l.allLocked() {
		q, err := queueOf(s.fd)
		if err != nil {
			return n, fmt.Errorf("cannot read queues of listener %s: %w", l.cfg.Name, err)
		}
		n += q.Length
	}
	return n, nil
}

// Restore puts back what a worker may have changed on the socket of a place:
// the listening state, O_NONBLOCK and the backlog. It returns what it had to put
// back. Worth a call when a worker has become ready, because many call listen(2)
// with a backlog of their own. It loses no connection, but those that a shutdown(2)
// has reset already.
func (l *Listener) Restore(slot int, side Side) (Repair, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shardLocked(slot, side)
	if s == nil {
		return 0, nil
	}
	repair, err := l.restoreLocked(s)
	if err != nil {
		return repair, fmt.Errorf("cannot restore listener %s slot %d side %s: %w", l.cfg.Name, slot, side, err)
	}
	return repair, nil
}

func (l *Listener) restoreLocked(s *shard) (Repair, error) {
	var repair Repair
	cleared, err := setNonblock(s.fd)
	if err != nil {
		return repair, err
	}
	if cleared {
		repair |= Nonblock
	}
	switch {
	case l.addr.Network == networkUnix:
		// A unix socket does not tell its backlog; to set it again costs nothing.
		if s.backlog == 0 {
			return repair, nil // systemd's, which we do not know
		}
		if err := unix.Listen(s.fd, s.backlog); err != nil {
			return repair, fmt.Errorf("cannot listen: %w", err)
		}
		return repair, nil
	case l.Datagram():
		return repair, nil
	case !accepting(s.fd):
		if _, err := l.reviveLocked(s); err != nil {
			return repair, err
		}
		return repair | Revived, nil
	}
	q, err := queueOf(s.fd)
	if err != nil || q.Backlog == s.backlog {
		return repair, err
	}
	if err := unix.Listen(s.fd, s.backlog); err != nil {
		return repair, fmt.Errorf("cannot listen: %w", err)
	}
	return repair | Backlog, nil
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

func accepting(fd int) bool {
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && on == 1
}
