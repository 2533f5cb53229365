package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

const (
	probeEvery   = 100 * time.Millisecond
	probeTimeout = 5 * time.Second
)

// probe tries a check again and again, until it succeeds or nobody waits for it any more.
func (p *pool) probe(rec *record, check func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	rec.cancel = cancel
	ref := rec.ref
	p.sup.goOn(func() {
		defer cancel()
		pause := time.NewTicker(probeEvery)
		defer pause.Stop()
		last := ""
		for {
			try, end := context.WithTimeout(ctx, probeTimeout)
			err := check(try)
			end()
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				p.sup.mail.post(proven{pool: p, ref: ref, how: "probed"})
				return
			}
			if text := err.Error(); text != last {
				last = text
				p.sup.mail.post(unproven{pool: p, ref: ref, err: err})
			}
			select {
			case <-pause.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// get asks one worker, and no other, for the probe path. On a shared socket that cannot be done, which the command
// line refuses beforehand.
func (p *pool) get(ctx context.Context, rec *record) error {
	ref, path := rec.ref, rec.edition.cfg.Ready.Path
	l := rec.edition.probed()
	if l == nil {
		return fmt.Errorf("cannot probe: %w", listener.ErrNoLane)
	}
	host := net.JoinHostPort(loopbackOf(l), strconv.Itoa(l.Port(ref.Slot)))
	err := p.sup.cfg.World.Get(ctx, host, path, func(ctx context.Context) (net.Conn, error) {
		if l.Mode() == listener.PerSlot {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", host)
		}
		return l.Dial(ctx, ref.Slot, side(ref.Side))
	})
	if err != nil {
		return fmt.Errorf("cannot take http://%s%s for ready: %w", host, path, err)
	}
	return nil
}

// knock connects to the worker's own port. Only with a per-slot listener that proves anything: of a socket that we hold
// the kernel completes the handshake, whether anybody serves it or not.
func (p *pool) knock(ctx context.Context, rec *record) error {
	for _, l := range rec.edition.listeners {
		if l.Mode() != listener.PerSlot || l.Datagram() {
			continue
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(loopbackOf(l), strconv.Itoa(l.Port(rec.ref.Slot))))
		if err != nil {
			return fmt.Errorf("cannot take worker for ready: %w", err)
		}
		return conn.Close()
	}
	return fmt.Errorf("cannot probe: %w", listener.ErrNoLane)
}

// probed is the listener that HTTP probes go to: the first one that can reach a single worker.
func (e *edition) probed() Listener {
	if i := slices.IndexFunc(e.listeners, func(s seat) bool { return CanProbe(s) }); i >= 0 {
		return e.listeners[i]
	}
	return nil
}

// canProbe refuses a proof over HTTP where every listener could only be shared: then any worker may answer.
func canProbe(cfg *plan.Pool, seats []seat) error {
	if cfg.Ready.Kind != worker.ReadyHTTP || slices.ContainsFunc(seats, func(s seat) bool { return CanProbe(s) }) {
		return nil
	}
	return fmt.Errorf("cannot probe pool %s over HTTP: %w", cfg.Name, ErrNoProbe)
}

// ErrNoProbe means that no listener of a pool reaches one worker alone.
var ErrNoProbe = errors.New("the kernel lets us only share its sockets, and on a shared one any worker may answer")

// CanProbe reports whether one worker of a listener can be reached over HTTP without the others.
func CanProbe(l Listener) bool {
	return !l.Datagram() && (l.Mode() == listener.PerSlot || l.Mode() == listener.Sharded)
}

// loopbackOf is the address under which this machine reaches a listener that may be bound to all.
func loopbackOf(l Listener) string {
	host := l.Address().Host
	switch host {
	case "", "*", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return host
}

// checker tries the readiness command.
func (p *pool) checker(rec *record) func(context.Context) error {
	cmd, err := p.checkCommand(rec)
	return func(ctx context.Context) error {
		if err == nil {
			err := p.sup.cfg.World.runToEnd(ctx, cmd, "check")
			if err == nil {
				return nil
			}
			return fmt.Errorf("cannot take worker for ready: %w", err)
		}
		return err
	}
}
