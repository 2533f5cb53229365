package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Dial makes a TCP connection that reaches the shard of that place and no other,
// whether or not it is steered to. It waits for the handshake only, which says
// nothing about the worker. The error is ErrNoLane unless the listener is sharded
// TCP that can be reached from the loopback interface.
//
// A listener of IPv6 alone has one lane per shard: a second Dial to it at the same
// time fails, and the connection is reset when closed, because its port would be
// blocked for a minute otherwise.
func (l *Listener) Dial(ctx context.Context, slot int, side Side) (net.Conn, error) {
	index, err := l.lane(slot, side)
	if err != nil {
		return nil, fmt.Errorf("cannot dial listener %s slot %d side %s: %w", l.Name(), slot, side, err)
	}
	return dialLane(ctx, l.end, index)
}

func (l *Listener) lane(slot int, side Side) (index int, err error) {
	if l.mode != Sharded || l.Datagram() {
		return 0, ErrNoLane
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shardLocked(slot, side)
	if s == nil || s.index == outside {
		return 0, ErrNoLane
	}
	return s.index, nil
}

// dialLane connects to e from the source that the program sends to index.
func dialLane(ctx context.Context, e endpoint, index int) (net.Conn, error) {
	to := e.loopback()
	if to.Is4() {
		source := netip.AddrFrom4([4]byte{indexLane >> 8, indexLane & 255, byte(index >> 8), byte(index)})
		return dialFrom(ctx, netip.AddrPortFrom(source, 0), netip.AddrPortFrom(to, uint16(e.port)))
	}
	if to.IsLinkLocalUnicast() || index >= portLanes { // ::1 is no source on a link
		return nil, fmt.Errorf("cannot dial %s: %w", to, ErrNoLane)
	}
	source := netip.AddrPortFrom(netip.IPv6Loopback(), uint16(portLane+index))
	conn, err := dialFrom(ctx, source, netip.AddrPortFrom(to, uint16(e.port)))
	if err != nil {
		return nil, err
	}
	_ = conn.SetLinger(0)
	return conn, nil
}

// dialFrom connects by plain TCP; an invalid source lets the kernel choose. The connection is marked as ours, so that
// it reaches a paused listener.
func dialFrom(ctx context.Context, from, to netip.AddrPort) (*net.TCPConn, error) {
	d := net.Dialer{}
	d.SetMultipathTCP(false)
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(from)
	}
	d.Control = func(network, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = prepareDial(int(fd), network) }); e != nil {
			return e
		}
		return err
	}
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, fmt.Errorf("cannot connect to listener: %w", err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("cannot connect to listener: %T is not TCP", conn)
	}
	return tcp, nil
}

func prepareDial(fd int, network string) error {
	level, option := unix.IPPROTO_IP, unix.IP_TOS
	if network == "tcp6" {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	}
	return errors.Join(
		unix.SetsockoptInt(fd, level, option, ownMark),
		// The port may be in TIME_WAIT from the last connection.
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
}
