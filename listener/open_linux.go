package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// defaultBacklog is net.core.somaxconn since Linux 5.4.
const defaultBacklog = 4096

// sharing says whether a socket may have siblings on its address.
type sharing uint8

const (
	exclusive sharing = iota
	grouped           // SO_REUSEPORT
)

// newSocket makes a bound socket that does not listen yet. It is nonblocking and closed by exec. The protocol is plain
// TCP or UDP: the group programs do not work on MPTCP.
func newSocket(e endpoint, share sharing, like int) (int, error) {
	family, kind, proto := unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP
	if e.ipv6() {
		family = unix.AF_INET6
	}
	if e.network == networkUDP {
		kind, proto = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	if err != nil {
		return -1, fmt.Errorf("cannot make socket: %w", err)
	}
	if err := prepare(fd, e, share, like); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func prepare(fd int, e endpoint, share sharing, like int) error {
	set := func(level, option, value int) error {
		if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
			return fmt.Errorf("cannot set socket option %d: %w", option, err)
		}
		return nil
	}
	// For TCP it means that connections in TIME_WAIT do not hinder; for UDP it would let two programs share a port.
	if e.network == networkTCP {
		if err := set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
		// Connections inherit it. Most servers set it themselves, but some on their own listener alone, and uvicorn --fd
		// not at all: there each part of an answer would wait for the one before it to be acknowledged, for 40 ms.
		if err := set(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return err
		}
	}
	if share == grouped {
		if err := set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	if e.ipv6() {
		only := 0 // the default depends on a sysctl
		if e.only6 {
			only = 1
		}
		if err := set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	if like >= 0 {
		if err := imitate(fd, like, set); err != nil {
			return err
		}
	}
	to, err := sockaddr(e)
	if err != nil {
		return err
	}
	if err := unix.Bind(fd, to); err != nil {
		return fmt.Errorf("cannot bind: %w", err)
	}
	return nil
}

// imitate copies from a socket of systemd what its siblings in a group must have in common.
func imitate(fd, like int, set func(level, option, value int) error) error {
	if device, err := unix.GetsockoptString(like, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err == nil && device != "" {
		if err := unix.BindToDevice(fd, device); err != nil {
			return fmt.Errorf("cannot bind to device %s: %w", device, err)
		}
	}
	if free, err := unix.GetsockoptInt(like, unix.SOL_IP, unix.IP_FREEBIND); err == nil && free == 1 {
		return set(unix.SOL_IP, unix.IP_FREEBIND, 1)
	}
	return nil
}

func sockaddr(e endpoint) (unix.Sockaddr, error) {
	if e.ip.Is4() {
		return &unix.SockaddrInet4{Addr: e.ip.As4(), Port: e.port}, nil
	}
	to := &unix.SockaddrInet6{Addr: e.ip.As16(), Port: e.port}
	if zone := e.ip.Zone(); zone != "" {
		device, err := net.InterfaceByName(zone)
		if err != nil {
			return nil, fmt.Errorf("cannot find interface %s: %w", zone, err)
		}
		to.ZoneId = uint32(device.Index)
	}
	return to, nil
}

// claim finds out that nobody else listens on e, and chooses the port if it is 0. A bind with SO_REUSEPORT would join
// the group of another supervisor of the same user without a word. Somebody who binds between this look and ours is found
// by foreign.
func claim(e endpoint) (endpoint, error) {
	fd, err := newSocket(e, exclusive, -1)
	if e.either && errors.Is(err, unix.EAFNOSUPPORT) {
		e.ip, e.either = netip.IPv4Unspecified(), false
		fd, err = newSocket(e, exclusive, -1)
	}
	if err != nil {
		return e, err
	}
	defer func() { _ = unix.Close(fd) }()
	e.port, err = portOf(fd)
	return e, err
}

// foreign returns ErrInUse when a socket that is not ours listens on the very same address.
func foreign(e endpoint, ours func(inode uint64) bool) error {
	for _, h := range holders(e.network) {
		if h.addr.Addr() == e.ip.WithZone("") && int(h.addr.Port()) == e.port && !ours(h.inode) {
			return ErrInUse
		}
	}
	return nil
}

func portOf(fd int) (int, error) {
	addr, err := unix.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("cannot read own address: %w", err)
	}
	switch a := addr.(type) {
	case *unix.SockaddrInet4:
		return a.Port, nil
	case *unix.SockaddrInet6:
		return a.Port, nil
	}
	return 0, nil
}

// newShard describes an open socket.
func newShard(fd int) (*shard, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("cannot look at socket: %w", err)
	}
	return &shard{fd: fd, inode: st.Ino, index: outside}, nil
}

// listenOn makes a stream socket listen, and takes note of the backlog that the kernel granted if it says so.
func (s *shard) listenOn(backlog int) error {
	if err := unix.Listen(s.fd, backlog); err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	s.backlog = backlog
	if info, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
		s.backlog = int(info.Sacked)
	}
	return nil
}

func (s *shard) close() { _ = unix.Close(s.fd) }

// checkFree finds out that each of the ports can be bound. The workers bind them later, so it is a courtesy only.
func checkFree(e endpoint, from, to int) error {
	for slot := from; slot < to; slot++ {
		at := e
		at.port += slot
		if at.port > 65535 {
			return &portError{at, slot, errTooMany}
		}
		if _, err := claim(at); err != nil {
			return &portError{at, slot, err}
		}
	}
	return nil
}
