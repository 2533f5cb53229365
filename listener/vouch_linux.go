package listener

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var (
	errStranger = errors.New("it is not what was handed over")
	errDeaf     = errors.New("it does not listen")
)

// vouch looks at each descriptor, and changes nothing.
func (h *Handed) vouch() error {
	for i := range h.Listeners {
		if err := h.Listeners[i].vouch(); err != nil {
			return fmt.Errorf("listener %s: %w", h.Listeners[i].Config.Name, err)
		}
	}
	for i := range h.Spare {
		s := &h.Spare[i]
		err := s.vouch()
		if err == nil {
			_, err = examine(Inherited{FD: s.FD})
		}
		if err != nil {
			return fmt.Errorf("socket %s: descriptor %d: %w", s.Passed.Name, s.FD, err)
		}
	}
	return nil
}

func (h *HandedListener) vouch() error {
	for _, d := range h.descriptors() {
		if err := d.vouch(); err != nil {
			return fmt.Errorf("descriptor %d: %w", d.FD, err)
		}
	}
	for _, s := range h.sockets() {
		if err := h.vouchFor(s); err != nil {
			return fmt.Errorf("descriptor %d: %w", s.FD, err)
		}
	}
	return nil
}

func (d *HandedDescriptor) vouch() error {
	is, err := descriptorOf(d.FD)
	if err != nil {
		return err
	}
	if is != *d {
		return errStranger
	}
	return nil
}

// vouchFor demands of a socket all that the listener relies on. One that its worker has shut down at the last moment does
// not listen, and will be revived.
func (h *HandedListener) vouchFor(s *HandedSocket) error {
	kind, protocol := unix.SOCK_STREAM, unix.IPPROTO_TCP
	switch h.Address.Network {
	case networkUDP:
		kind, protocol = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	case networkUnix:
		protocol = 0
	}
	demand := func(what string, option, value int) error {
		is, err := unix.GetsockoptInt(s.FD, unix.SOL_SOCKET, option)
		if err != nil {
			return fmt.Errorf("cannot read its %s: %w", what, err)
		}
		if is != value {
			return fmt.Errorf("its %s is %d instead of %d: %w", what, is, value, errStranger)
		}
		return nil
	}
	if err := demand("type", unix.SO_TYPE, kind); err != nil {
		return err
	}
	if s.Passed == nil || s.Index != outside { // one of the service manager's may be MPTCP
		if err := demand("protocol", unix.SO_PROTOCOL, protocol); err != nil {
			return err
		}
	}
	if h.Mode == Sharded {
		if err := demand("SO_REUSEPORT", unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	if err := h.vouchForAddress(s.FD); err != nil {
		return err
	}
	if h.Address.Network == networkUnix && !accepting(s.FD) {
		return errDeaf
	}
	return nil
}

func (h *HandedListener) vouchForAddress(fd int) error {
	addr, err := unix.Getsockname(fd)
	if err != nil {
		return fmt.Errorf("cannot read its address: %w", err)
	}
	var at Address
	switch a := addr.(type) {
	case *unix.SockaddrInet4:
		at = endpointOf4(h.Address.Network, a).address()
	case *unix.SockaddrInet6:
		at = endpoint6(fd, h.Address.Network, a).address()
	case *unix.SockaddrUnix:
		at = Address{Network: networkUnix, Path: a.Name}
	}
	if at != h.Address {
		return fmt.Errorf("it is bound to %s instead of %s: %w", at, h.Address, errStranger)
	}
	return nil
}
