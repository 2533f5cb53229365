package listener

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Pause keeps new connections out from the moment it returns. What waits in the queues stays and can be accepted, and
// handshakes that have begun come to their end, so that workers can serve what there is before Close. Relays and Dial
// still get in.
//
//	TCP            connection requests are dropped. A client repeats its request, for the first time after a second, and
//	               gets through with the first one after Resume; after Close it is refused.
//	unix, ours     the file is renamed to PATH.paused, so that connect(2) fails with ENOENT at once.
//	any other      nothing happens: datagrams, abstract names, unix sockets of systemd's, MPTCP, per-slot.
//
// A connection whose handshake ends during the pause keeps, for its life, the filter that drops further requests on its
// own pair of addresses; see SO_ATTACH_FILTER in socket(7). It notices it in one case: a client that lost its state and
// begins anew with the same port is not told so at once. A second Pause does nothing.
func (l *Listener) Pause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.paused {
		return l.refusalLocked("pause")
	}
	if err := l.pauseLocked(); err != nil {
		return fmt.Errorf("cannot pause listener %s: %w", l.cfg.Name, errors.Join(err, l.resumeLocked()))
	}
	l.paused = true
	return nil
}

// Resume ends a Pause. Without one it does nothing. The error is ErrInUse when somebody else has taken the path of a
// unix socket meanwhile.
func (l *Listener) Resume() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !l.paused {
		return l.refusalLocked("resume")
	}
	if err := l.resumeLocked(); err != nil {
		return fmt.Errorf("cannot resume listener %s: %w", l.cfg.Name, err)
	}
	l.paused = false
	return nil
}

// refusalLocked is why nothing is done: an error if the listener is closed, and none if it is as wanted.
func (l *Listener) refusalLocked(verb string) error {
	if !l.closed {
		return nil
	}
	return fmt.Errorf("cannot %s listener %s: %w", verb, l.cfg.Name, ErrClosed)
}

func (l *Listener) pauseLocked() error {
	if l.file != nil {
		return l.file.hide()
	}
	if l.addr.Network != networkTCP {
		return nil
	}
	for _, s := range l.allLocked() {
		if err := keepOut(s.fd); err != nil {
			return err
		}
	}
	return nil
}

func (l *Listener) resumeLocked() error {
	if l.file != nil {
		return l.file.show()
	}
	if l.addr.Network != networkTCP {
		return nil
	}
	var all []error
	for _, s := range l.allLocked() {
		all = append(all, letIn(s.fd))
	}
	return errors.Join(all...)
}

const (
	// ownMark is the DSCP of connections that we make ourselves, so that the filter lets them in: see dialFrom. It is one of
	// those for local use (RFC 2474, section 6).
	ownMark = 0b101011 << 2
	// dscp is what of the traffic class is DSCP; the rest is ECN.
	dscp = 0b11111100

	flagsOff         = 13 // of the TCP header, where a socket filter begins to count
	flagSYN, flagACK = 0x02, 0x10
)

// bouncer is the filter of a paused listener. A listening socket sees requests (SYN) and the last step of handshakes; a
// socket that came of it sees all of its connection. So whatever is no request passes.
func bouncer() ([]unix.SockFilter, error) {
	const pass, drop = 1<<32 - 1, 0
	code, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: flagsOff, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: flagSYN | flagACK},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: flagSYN, SkipTrue: 9},
		bpf.LoadAbsolute{Off: netOff, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipFalse: 3}, // else version 4
		bpf.LoadAbsolute{Off: netOff, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.Jump{Skip: 1},
		bpf.LoadAbsolute{Off: netOff + 1, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: dscp},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ownMark, SkipFalse: 1},
		bpf.RetConstant{Val: pass},
		bpf.RetConstant{Val: drop},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot assemble filter: %w", err)
	}
	return filterOf(code), nil
}

// keepOut makes a TCP socket drop connection requests. MPTCP sockets take no filter, and are left as they are.
func keepOut(fd int) error {
	if proto, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err == nil && proto != unix.IPPROTO_TCP {
		return nil
	}
	filter, err := bouncer()
	if err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
		return fmt.Errorf("cannot attach filter: %w", err)
	}
	return nil
}

// letIn undoes keepOut. A socket without a filter is fine too.
func letIn(fd int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	if err == nil || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return fmt.Errorf("cannot detach filter: %w", err)
}
