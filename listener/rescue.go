package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

const (
	// maxRelays bounds the connections that go through us at a time, with two descriptors each. The others wait in their
	// queue, as they would for a busy worker.
	maxRelays = 256
	// acceptBatch bounds the work of one callback, because all others of the poller wait for it.
	acceptBatch = 32
	// connectTimeout bounds the way to a ready worker, which leads over the loopback interface into a queue.
	connectTimeout = 10 * time.Second
)

// Abandon says that no worker will serve that place for now. What waits in its
// queue, and what still comes because its handshake began before the last Steer,
// is accepted here and relayed to a ready worker, by a connection from a loopback
// address; Options.Report says how many. Connections wait as long as the program
// points to that place, as it does when nobody else is ready.
//
// It does nothing for listeners that are not sharded TCP. A shared listener has one
// queue for all, so what waits there is never left behind while anybody serves it:
// pools that share it may call Steer, Adopt and Abandon without harm to each other.
func (l *Listener) Abandon(slot int, side Side) error { return l.setAbandoned(slot, side, true) }

// Adopt says that a worker is about to get the socket of that place, and ends what
// Abandon began. Relays that are under way go on. Inherited sockets that connections
// are not steered to at first are abandoned from then on.
func (l *Listener) Adopt(slot int, side Side) error { return l.setAbandoned(slot, side, false) }

func (l *Listener) setAbandoned(slot int, side Side, abandoned bool) error {
	if l.mode != Sharded || l.Datagram() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	s := l.table.at(Member{slot, side})
	if s == nil {
		return fmt.Errorf("cannot find slot %d side %s of listener %s", slot, side, l.cfg.Name)
	}
	if abandoned && !s.abandoned {
		// The last worker may have left it blocking, and the poller's goroutine must not block.
		if _, err := setNonblock(s.fd); err != nil {
			return fmt.Errorf("cannot abandon slot %d side %s of listener %s: %w", slot, side, l.cfg.Name, err)
		}
	}
	s.abandoned = abandoned
	if !abandoned {
		s.knocks = nil
	}
	l.rewatchLocked()
	return nil
}

// waiting is called by the poller when connections wait in an abandoned queue.
func (l *Listener) waiting(s *shard) {
	conns, events := l.acceptSome(s)
	for _, fd := range conns {
		l.relays.start(fd, func(ctx context.Context) { l.relay(ctx, s, fd) })
	}
	l.set.report(events...)
}

func (l *Listener) acceptSome(s *shard) (conns []int, events []Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || s.watch != watchQueue {
		return nil, nil
	}
	n := l.set.rescue.room(acceptBatch, l.lookAgain)
	if n == 0 {
		l.watchLocked(s, watchNothing)
		return nil, nil
	}
	conns, err := acceptUpTo(s.fd, n)
	conns = s.withoutKnocks(conns)
	if len(conns) > 0 {
		events = append(events, l.aboutLocked(s, Event{Kind: EventRelayed, Count: len(conns)}))
	}
	switch {
	case errors.Is(err, errHungUp):
		events = append(events, l.wakeLocked(s)...)
	case err != nil: // mostly too many open files; the next change of steering, or the end of a relay, tries again
		l.watchLocked(s, watchNothing)
		events = append(events, l.aboutLocked(s, Event{Kind: EventRelayFailed, Err: err}))
	}
	return conns, events
}

// lookAgain goes on with queues that had to wait for a relay to end.
func (l *Listener) lookAgain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.rewatchLocked()
	}
}

// relay carries one connection to a ready worker and back.
func (l *Listener) relay(ctx context.Context, s *shard, fd int) {
	client, err := connOf(fd)
	if err == nil {
		err = l.forward(ctx, client)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	ev := l.aboutLocked(s, Event{Kind: EventRelayFailed, Count: 1, Err: err})
	l.mu.Unlock()
	l.set.report(ev)
}

func (l *Listener) forward(ctx context.Context, client *net.TCPConn) error {
	dialing, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	worker, err := dialFrom(dialing, netip.AddrPort{}, netip.AddrPortFrom(l.end.loopback(), uint16(l.end.port)))
	if err != nil {
		reset(client)
		return fmt.Errorf("cannot relay connection: %w", err)
	}
	l.relays.carry(ctx, &bridge{client: client, worker: worker})
	return nil
}
