package listener

import (
	"errors"
	"syscall"
)

// heldError says that a listener of the same Set has the address.
type heldError struct{ by string }

func (e *heldError) Error() string { return "listener " + e.by + " has it" }

func (e *heldError) Unwrap() error { return ErrInUse }

// clashes tells whether the listener has one of the count ports from e on, or keeps it for a worker. Its slots do not
// change while the caller holds the lock of the Set.
func (l *Listener) clashes(e endpoint, count int) bool {
	own := 1
	if l.mode == PerSlot {
		own = l.slots
	}
	return l.end.network != "" && l.end.meets(e) && e.port < l.end.port+own && l.end.port < e.port+count
}

// reserved returns an error when one of the count ports from e on belongs to a per-slot listener. Its workers bind them,
// and a port whose worker is just being replaced is free as far as the kernel knows.
func reserved(others []*Listener, e endpoint, count int) error {
	for _, l := range others {
		if l.mode == PerSlot && l.clashes(e, count) {
			return &heldError{l.Name()}
		}
	}
	return nil
}

// nameHolder makes of the kernel's word that an address is in use one that names the listener which has it, if it is
// one of others.
func nameHolder(err error, others []*Listener, a Address, e endpoint) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	if port, ok := errors.AsType[*portError](err); ok {
		e = port.at
	}
	for _, l := range others {
		if l.clashes(e, 1) || a.Network == networkUnix && l.addr.Network == networkUnix && l.addr.Path == a.Path {
			return &heldError{l.Name()}
		}
	}
	return err
}
