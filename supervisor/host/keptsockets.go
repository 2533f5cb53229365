package host

import (
	"errors"
	"syscall"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
)

// keptSockets tell the store of all that changes.
type keptSockets struct {
	set  *listener.Set
	kept *kept
}

// Open opens all of them or none. An address may be in use because the store has a socket still that was closed.
func (s keptSockets) Open(wants []listener.Want) ([]supervisor.Listener, error) {
	opened, err := s.set.Open(wants)
	if errors.Is(err, syscall.EADDRINUSE) {
		s.kept.settle()
		opened, err = s.set.Open(wants)
	}
	if err != nil {
		return nil, err
	}
	s.kept.changed()
	all := make([]supervisor.Listener, len(opened))
	for i, l := range opened {
		all[i] = &keptListener{Listener: l, kept: s.kept}
	}
	return all, nil
}

type keptListener struct {
	*listener.Listener
	kept *kept
}

// Outlives reports whether the service manager has the socket of a place.
func (l *keptListener) Outlives(slot int, side listener.Side) bool {
	return l.kept.has(l.Inode(slot, side))
}

// Grow makes room for more slots.
func (l *keptListener) Grow(slots int) error {
	before := l.Slots()
	err := l.Listener.Grow(slots)
	if l.Slots() != before {
		l.kept.changed()
	}
	return err
}

// Adjust changes the config.
func (l *keptListener) Adjust(cfg listener.Config) error {
	defer l.kept.changed()
	return l.Listener.Adjust(cfg)
}

// Close closes the sockets.
func (l *keptListener) Close() error {
	defer l.kept.changed()
	return l.Listener.Close()
}
