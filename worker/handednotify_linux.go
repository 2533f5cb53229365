package worker

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker/handshake"
)

// HandedNotify is a notification socket as the program that replaces this one has to know it.
type HandedNotify struct {
	FD      int
	Address string
	UID     int64 // of Trust
}

// Descriptors are those that the next program has to inherit.
func (h *HandedNotify) Descriptors() []*int {
	if h.FD < 0 {
		return nil
	}
	return []*int{&h.FD}
}

// Hand describes the socket to the program that replaces this one. Its FD is -1 if the socket is closed. What waits in it is
// delivered there.
func (n *Notify) Hand() HandedNotify {
	n.mu.Lock()
	defer n.mu.Unlock()
	return HandedNotify{FD: n.fd, Address: n.address, UID: n.uid.Load()}
}

var errNotThatSocket = errors.New("the descriptor handed for it is another one")

// AdoptNotify takes over the socket of a worker that the program before has started; see OpenNotify. If it fails the
// descriptor stays as it is.
func AdoptNotify(p *poll.Poller, h HandedNotify, on func(msg handshake.Message, sender int, err error)) (*Notify, error) {
	n := &Notify{poller: p, address: h.Address, on: on, fd: h.FD}
	n.uid.Store(h.UID)
	err := isBoundTo(h.FD, h.Address)
	if err == nil {
		unix.CloseOnExec(h.FD)
		err = p.Add(h.FD, n.ready)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot adopt notification socket %s: %w", h.Address, err)
	}
	return n, nil
}

// isBoundTo makes sure that a descriptor is a socket as OpenNotify makes it.
func isBoundTo(fd int, address string) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	credentials, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED)
	if err != nil {
		return err
	}
	if at, ok := name.(*unix.SockaddrUnix); !ok || at.Name != address || kind != unix.SOCK_DGRAM || credentials == 0 {
		return errNotThatSocket
	}
	return nil
}
