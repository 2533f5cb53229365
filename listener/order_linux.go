package listener

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
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
// at once, which a worker sees as a client that has changed its mind. Where no worker comes it is taken out again.
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
	var knocks []netip.AddrPort
	for range orderTries {
		before := lengths(all)
		knock, err := l.knock()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errOrder, err)
		}
		knocks = append(knocks, knock)
		var grown []*shard
		for i, n := range lengths(all) {
			if n > before[i] {
				grown = append(grown, all[i])
			}
		}
		if len(grown) == 1 {
			grown[0].knocks = knocks
			return grown[0], nil
		}
	}
	return nil, errOrder
}

// knock returns where it came from.
func (l *Listener) knock() (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTimeout)
	defer cancel()
	conn, err := dialFrom(ctx, netip.AddrPort{}, netip.AddrPortFrom(l.end.loopback(), uint16(l.end.port)))
	if err != nil {
		return netip.AddrPort{}, err
	}
	at, _ := conn.LocalAddr().(*net.TCPAddr)
	from := at.AddrPort()
	return netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), conn.Close()
}

// withoutKnocks closes those of accepted connections that are our own.
func (s *shard) withoutKnocks(conns []int) []int {
	if len(s.knocks) == 0 {
		return conns
	}
	return slices.DeleteFunc(conns, func(fd int) bool {
		peer, known := clientOf(fd)
		if !known || !slices.Contains(s.knocks, peer) {
			return false
		}
		_ = unix.Close(fd)
		return true
	})
}

// clientOf is where a connection comes from, without the form that IPv4 has on a socket of IPv6.
func clientOf(fd int) (peer netip.AddrPort, known bool) {
	addr, err := unix.Getpeername(fd)
	if err != nil {
		return peer, false
	}
	switch a := addr.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), true
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)), true
	}
	return peer, false
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
