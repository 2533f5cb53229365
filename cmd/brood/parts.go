package main

import (
	"context"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/door"
	"github.com/broodctl/brood/internal/web"
	"github.com/broodctl/brood/listener"
)

// The names by which the next program finds what this one has beside its supervisor; see host.Part.
const (
	partAPI   = "api"
	partPages = "pages"
	partHooks = "hooks"
)

// handedAPI is what the next program has to know of the API.
type handedAPI struct {
	Socket control.HandedSocket
	Remote leftDoor
	Server control.Handed
}

// leftDoor is an address that is handed on. The zero value is none.
type leftDoor struct {
	Address string // as the configuration has it
	FD      int
}

// leave describes a door to the next program, which may have none.
func leave(d *door.Door, a listener.Address) (leftDoor, error) {
	if d == nil {
		return leftDoor{}, nil
	}
	fd, err := d.Descriptor()
	return leftDoor{Address: a.String(), FD: fd}, err
}

func (l leftDoor) descriptors() []int {
	if l.Address == "" {
		return nil
	}
	return []int{l.FD}
}

// openLeft takes over an address of the program before, if that had it, or else opens it. Nil is for none.
func openLeft(a listener.Address, left leftDoor, key string) (*door.Door, error) {
	switch {
	case a.Network == "":
		return nil, nil
	case left.Address == a.String():
		return web.Adopt(left.FD)
	}
	return web.Listen(context.Background(), a, key)
}

// Pause is of host.Part, as are the next ones.
func (d *entrance) Pause(ctx context.Context) { d.server.Pause(ctx) }

// Resume answers again.
func (d *entrance) Resume() { d.server.Resume() }

// Hand describes the API.
func (d *entrance) Hand(ctx context.Context, outstanding func(string) bool) (any, []int, error) {
	h := handedAPI{Server: d.server.Hand(ctx, outstanding)}
	var err error
	if h.Socket, err = d.socket.Hand(); err != nil {
		return nil, nil, err
	}
	if h.Remote, err = leave(d.remote, d.address); err != nil {
		return nil, nil, err
	}
	return h, append(h.Remote.descriptors(), h.Socket.FD, h.Socket.Lock), nil
}

// Settle closes what the addresses were handed by, and lets those in whom the configuration names now.
func (d *entrance) Settle() {
	d.socket.Keep()
	if err := d.socket.Admit(d.access); err != nil {
		d.warn(err)
	}
	if d.remote != nil {
		d.remote.Keep()
	}
}

// Pause is of host.Part, as are the next ones.
func (e *endpoint) Pause(ctx context.Context) { e.server.Pause(ctx) }

// Resume answers again.
func (e *endpoint) Resume() { e.server.Resume() }

// Hand describes the address.
func (e *endpoint) Hand(context.Context, func(string) bool) (any, []int, error) {
	left, err := leave(e.door, e.address)
	return left, left.descriptors(), err
}

// Settle closes what the address was handed by.
func (e *endpoint) Settle() { e.door.Keep() }
