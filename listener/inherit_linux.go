package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// passed is an inherited socket and what it turned out to be.
type passed struct {
	Inherited
	given     string // the name as it came: see distinguish
	at        Address
	endpoint  endpoint // of TCP and UDP
	groupable bool     // it has SO_REUSEPORT, and the group takes programs
	backlog   int      // of TCP, as it came
}

func (p passed) close() { _ = unix.Close(p.FD) }

// adopt checks a descriptor, and sets the flags that systemd does not set.
func adopt(fd int) error {
	if _, err := examine(Inherited{FD: fd}); err != nil {
		return err
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("cannot set O_NONBLOCK: %w", err)
	}
	return nil
}

// examine finds out what a socket is bound to, and refuses what no worker could accept from.
func examine(in Inherited) (passed, error) {
	p := passed{Inherited: in}
	kind, err := unix.GetsockoptInt(in.FD, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case errors.Is(err, unix.EBADF):
		return p, errors.New("the descriptor is not open")
	case errors.Is(err, unix.ENOTSOCK):
		return p, errors.New("it is not a socket")
	case err != nil:
		return p, fmt.Errorf("cannot read socket type: %w", err)
	case kind != unix.SOCK_STREAM && kind != unix.SOCK_DGRAM:
		return p, errors.New("it is neither a stream nor a datagram socket")
	}
	listens, err := unix.GetsockoptInt(in.FD, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return p, fmt.Errorf("cannot read socket state: %w", err)
	}
	if kind == unix.SOCK_STREAM && listens == 0 {
		return p, errors.New("it does not listen; the .socket unit needs Accept=no")
	}
	addr, err := unix.Getsockname(in.FD)
	if err != nil {
		return p, fmt.Errorf("cannot read its address: %w", err)
	}
	network := networkTCP
	if kind == unix.SOCK_DGRAM {
		network = networkUDP
	}
	switch a := addr.(type) {
	case *unix.SockaddrInet4:
		p.endpoint = endpointOf4(network, a)
	case *unix.SockaddrInet6:
		p.endpoint = endpoint6(in.FD, network, a)
	case *unix.SockaddrUnix:
		if kind == unix.SOCK_DGRAM {
			return p, errors.New("it is a unix datagram socket")
		}
		p.at = Address{Network: networkUnix, Path: a.Name}
		return p, nil
	default:
		return p, errors.New("it is neither an IP nor a unix socket")
	}
	p.at, p.groupable = p.endpoint.address(), groupable(in.FD, kind)
	if q, err := queueOf(in.FD); err == nil && network == networkTCP {
		p.backlog = q.Backlog
	}
	return p, nil
}

func endpointOf4(network string, a *unix.SockaddrInet4) endpoint {
	return endpoint{network: network, ip: netip.AddrFrom4(a.Addr), port: a.Port}
}

func endpoint6(fd int, network string, a *unix.SockaddrInet6) endpoint {
	only, _ := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
	e := endpoint{network: network, ip: netip.AddrFrom16(a.Addr), port: a.Port, only6: only == 1}
	if a.ZoneId != 0 {
		if device, err := net.InterfaceByIndex(int(a.ZoneId)); err == nil {
			e.ip = e.ip.WithZone(device.Name)
		}
	}
	return e
}

// groupable is false for MPTCP, whose groups take no programs.
func groupable(fd, kind int) bool {
	reuse, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT)
	if err != nil || reuse == 0 {
		return false
	}
	proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && (kind == unix.SOCK_DGRAM && proto == unix.IPPROTO_UDP || kind == unix.SOCK_STREAM && proto == unix.IPPROTO_TCP)
}

// sameNetwork tells whether new sockets of ours are in the network namespace of an inherited one. With PrivateNetwork=
// they are not, and would form a group of their own that nobody reaches. Kernels before 5.14 do not say; then it is taken
// for granted.
func sameNetwork(fd int) bool {
	theirs, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return true
	}
	own, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer func() { _ = unix.Close(own) }()
	ours, err := unix.GetsockoptUint64(own, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	return err != nil || ours == theirs
}
