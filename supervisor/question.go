package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// question is a probe of one worker.
type question struct {
	probe.Config
	world probe.World
}

// question makes a probe ready for one worker. What cannot be made ready fails each time that it is asked.
func (p *pool) question(rec *record, c *plan.Probe) question {
	q := question{Config: c.WithDefaults()}
	switch {
	case c.Kind == probe.Exec:
		cmd, err := p.checkCommand(rec)
		q.world.Run = func(ctx context.Context, command string) error {
			if err != nil {
				return err
			}
			run := cmd
			run.Argv = shell(command)
			return p.sup.cfg.World.Run(ctx, run, "check")
		}
	case c.Address != "":
		address, err := p.fill(rec, c.Address)
		if err != nil {
			q.Address, q.world.Dial = "", never(err)
			break
		}
		q.Address = address
	default:
		l := rec.edition.asked(c)
		q.world.Dial, q.world.Turn = rec.dialer(l), rec.laneTo(l)
	}
	return q
}

// fill makes the address of a worker from a template.
func (p *pool) fill(rec *record, template string) (string, error) {
	facts, _ := p.facts(rec)
	t, err := worker.NewTemplate("address", template, facts)
	if err != nil {
		return "", err
	}
	return t.Fill(facts)
}

func never(err error) probe.Dial {
	return func(context.Context) (net.Conn, error) { return nil, err }
}

// dialer connects to the worker's own socket of a listener, or to its own port.
func (r *record) dialer(l Listener) probe.Dial {
	ref := r.ref
	switch {
	case l == nil:
		return never(listener.ErrNoLane)
	case l.Mode() == listener.PerSlot:
		target := net.JoinHostPort(loopbackOf(l), strconv.Itoa(l.Port(ref.Slot)))
		return func(ctx context.Context) (net.Conn, error) {
			d := net.Dialer{KeepAlive: -1} // a connection of a second needs none
			return d.DialContext(ctx, "tcp", target)
		}
	}
	return func(ctx context.Context) (net.Conn, error) { return l.Dial(ctx, ref.Slot, side(ref.Side)) }
}

// laneTo makes the probes of a worker ask one after another on a listener where only one connection at a time can reach
// its socket; nil if there can be more.
func (r *record) laneTo(l Listener) func(context.Context) (func(), bool) {
	if l == nil || l.Mode() != listener.Sharded || !isNarrow(l) {
		return nil
	}
	lane := r.lanes[l]
	if lane == nil {
		lane = make(turn, 1)
		r.lanes[l] = lane
	}
	return func(ctx context.Context) (func(), bool) { return lane.give, lane.take(ctx) }
}

// isNarrow reports whether one socket of a listener can be reached by one connection at a time; see listener.Dial.
func isNarrow(l Listener) bool {
	at := l.Address()
	return at.Family == 6 || strings.Contains(at.Host, ":")
}

// asked is the listener that a probe goes to, nil if there is none.
func (e *edition) asked(c *plan.Probe) Listener {
	i := slices.IndexFunc(e.listeners, func(s seat) bool { return leadsTo(s, c) })
	if i < 0 {
		return nil
	}
	return e.listeners[i].Listener
}

// leadsTo reports whether a probe can ask a worker on a listener. That a connection comes about proves something only of a
// port that the worker opened itself: of a socket that we hold the kernel completes the handshake, whether anybody serves
// it or not.
func leadsTo(s seat, c *plan.Probe) bool {
	switch {
	case c.Listener != "" && c.Listener != s.name:
		return false
	case c.Kind == probe.TCP && c.Listener == "":
		return !s.Datagram() && s.Mode() == listener.PerSlot
	}
	return CanProbe(s)
}

// canProbe refuses probes where every listener could only be shared: then any worker may answer.
func canProbe(cfg *plan.Pool, seats []seat) error {
	probes := []*plan.Probe{cfg.Health.Startup, cfg.Health.Readiness, cfg.Health.Liveness}
	if cfg.Ready.Kind == worker.ReadyHTTP {
		probes = append(probes, proofOf(&cfg.Ready))
	}
	for _, c := range probes {
		if c == nil || c.Address != "" || c.Kind != probe.HTTP && c.Kind != probe.GRPC && c.Kind != probe.TCP {
			continue
		}
		if !slices.ContainsFunc(seats, func(s seat) bool { return leadsTo(s, c) }) {
			return fmt.Errorf("cannot probe pool %s over %s: %w", cfg.Name, strings.ToUpper(string(c.Kind)), ErrNoProbe)
		}
	}
	return nil
}

// ErrNoProbe means that no listener of a pool reaches one worker alone.
var ErrNoProbe = errors.New("the kernel lets us only share its sockets, and on a shared one any worker may answer")

// CanProbe reports whether one worker of a listener can be reached without the others.
func CanProbe(l Listener) bool {
	return !l.Datagram() && (l.Mode() == listener.PerSlot || l.Mode() == listener.Sharded)
}

// loopbackOf is the address under which this machine reaches a listener that may be bound to all.
func loopbackOf(l Listener) string {
	at := l.Address()
	switch at.Host {
	case "", "*", "0.0.0.0":
		if at.Family == 6 {
			return "::1"
		}
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return at.Host
}
