package listener

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Queue says how many connections wait to be accepted, and how many may.
type Queue struct {
	Length, Backlog int
	Drops           uint64 // packets that asked for a connection in vain, since the socket was made; kept by the kernel, in 32 bits
	Abandoned       bool   // what waits is not for a worker but for us to relay: see Abandon
	Paused          bool   // none come but our own; those that wait are still the worker's to accept: see Pause
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
	q, err := s.queue()
	if err != nil {
		return Queue{}, fmt.Errorf("cannot read queue of listener %s: %w", l.cfg.Name, err)
	}
	q.Abandoned, q.Paused = s.abandoned, l.paused
	return q, nil
}

// Queues adds up all sockets: what waits in them, what they have dropped, and how
// many connections may wait in those that new ones are steered to, or in a shared
// one. The error is ErrNoQueue as for Queue.
func (l *Listener) Queues() (Queue, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.addr.Network != networkTCP || l.mode == PerSlot {
		return Queue{}, fmt.Errorf("cannot read queues of listener %s: %w", l.cfg.Name, ErrNoQueue)
	}
	steered := map[*shard]bool{l.single: true}
	for _, m := range l.members {
		steered[l.table.at(m)] = true
	}
	all := Queue{Paused: l.paused}
	for _, s := range l.allLocked() {
		q, err := s.queue()
		if err != nil {
			return Queue{}, fmt.Errorf("cannot read queues of listener %s: %w", l.cfg.Name, err)
		}
		all.Length += q.Length
		all.Drops += q.Drops
		if steered[s] {
			all.Backlog += q.Backlog
		}
	}
	return all, nil
}

// queue is what the kernel tells of a socket.
func (s *shard) queue() (Queue, error) {
	q, err := queueOf(s.fd)
	if err != nil {
		return Queue{}, err
	}
	q.Drops, err = dropsOf(s.fd)
	return q, err
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

// dropsOf reads SK_MEMINFO_DROPS of SO_MEMINFO, which sock_diag(7) describes: the
// ninth of some 32-bit numbers. A full queue drops the packets that ask for a
// connection, each time that they come again, and those that end a handshake. TCPInfo has room for them, and a
// getter that copies without looking; its eight bytes of flags are the first two
// numbers, so that the ninth is Lost.
func dropsOf(fd int) (uint64, error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_SOCKET, unix.SO_MEMINFO)
	if err != nil {
		return 0, fmt.Errorf("cannot read SO_MEMINFO: %w", err)
	}
	return uint64(info.Lost), nil
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

func accepting(fd int) bool {
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && on == 1
}
