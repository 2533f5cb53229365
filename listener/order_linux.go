package listener

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

const (
	// orderTimeout bounds one connection over the loopback interface, which takes microseconds.
	orderTimeout = time.Second
	// orderTries is for handshakes that were under way when the program changed.
	orderTries = 5
)

// orderLocked finds out the indexes of inherited sockets. systemd made them listen in the order in which it started the
// units and passes them in another, and a shutdown(2) in an earlier life may have moved some. All new connections are
// sent to one index at a time; the socket whose queue grows by ours has it. Nobody accepts yet. The connection is closed
// at once, which a worker sees as a client that has changed its mind.
func (l *Listener) orderLocked(all []*shard) ([]*shard, error) {
	if len(all) == 1 {
		return all, nil
	}
	if l.Datagram() {
		return nil, errOrder // a datagram would be taken for a client's
	}
	ordered := make([]*shard, len(all))
	for index := range all {
		if err := attachConstant(all[0].fd, index); err != nil {
			return nil, err
		}
		s, err := l.grownLocked(all)
		if err != nil {
			return nil, err
		}
		ordered[index] = s
	}
	seen := map[*shard]bool{}
	for _, s := range ordered {
		if seen[s] {
			return nil, errOrder
		}
		seen[s] = true
	}
	return ordered, attachConstant(all[0].fd, 0)
}

// grownLocked connects, and returns the one socket whose queue is longer than before.
func (l *Listener) grownLocked(all []*shard) (*shard, error) {
	for range orderTries {
		before := lengths(all)
		if err := l.knock(); err != nil {
			return nil, fmt.Errorf("%w: %w", errOrder, err)
		}
		var grown []*shard
		for i, n := range lengths(all) {
			if n > before[i] {
				grown = append(grown, all[i])
			}
		}
		if len(grown) == 1 {
			return grown[0], nil
		}
	}
	return nil, errOrder
}

func (l *Listener) knock() error {
	ctx, cancel := context.WithTimeout(context.Background(), orderTimeout)
	defer cancel()
	conn, err := dialFrom(ctx, netip.AddrPort{}, netip.AddrPortFrom(l.end.loopback(), uint16(l.end.port)))
	if err != nil {
		return err
	}
	return conn.Close()
}

func lengths(all []*shard) []int {
	n := make([]int, len(all))
	for i, s := range all {
		if q, err := queueOf(s.fd); err == nil {
			n[i] = q.Length
		}
	}
	return n
}
