package supervisor

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// howAssumed is the one proof of readiness that is none.
const howAssumed = "assumed"

// gate is what a worker that starts has to pass next.
type gate uint8

const (
	atStartup   gate = iota // its startup probe
	atProof                 // the pool's proof of readiness
	atReadiness             // the first pass of its readiness probe
	through                 // it has been ready
)

// String names the gate in errors.
func (g gate) String() string { return [...]string{"startup", "ready", "readiness", "through"}[g] }

// watch begins the search for the proof that a worker is ready.
func (p *pool) watch(rec *record) { p.enter(rec, atStartup, "") }

// enter goes on to a gate or, if there is nothing to pass, to the one behind it. how is how the last one was passed.
func (p *pool) enter(rec *record, g gate, how string) {
	rec.unwatch()
	rec.gate = g
	cfg := rec.edition.cfg
	switch {
	case g == atStartup && asks(cfg.Health.Startup):
		p.limitStartup(rec)
		p.ask(rec, cfg.Health.Startup)
	case g == atProof && (cfg.ReadySaid || !asks(cfg.Health.Readiness)):
		p.prove(rec)
	case g == atReadiness && asks(cfg.Health.Readiness):
		p.ask(rec, cfg.Health.Readiness)
	case g == through:
		p.ready(rec, how)
	default:
		p.enter(rec, g+1, how)
	}
}

// pass takes note that a worker has passed a gate.
func (p *pool) pass(ref machine.Ref, g gate, how string) {
	rec := p.workers[ref]
	if rec == nil || rec.gate != g || rec.over {
		return
	}
	if w, ok := p.st.Worker(ref); !ok || w.Health != machine.Starting {
		rec.unwatch()
		return
	}
	p.enter(rec, g+1, how)
}

// prove looks for the pool's proof of readiness.
func (p *pool) prove(rec *record) {
	ready := &rec.edition.cfg.Ready
	if rec.notified && takesNotice(ready.Kind) {
		p.enter(rec, atProof+1, howNotified)
		return
	}
	switch ready.Kind {
	case worker.ReadyAuto:
		p.watchAuto(rec)
	case worker.ReadyNotify: // the datagram comes by itself
	case worker.ReadyHTTP, worker.ReadyTCP, worker.ReadyExec:
		p.ask(rec, proofOf(ready))
	case worker.ReadyDelay:
		p.assume(rec, ready.Delay, "alive")
	}
}

const howNotified = "notified"

// takesNotice reports whether READY=1 is a proof.
func takesNotice(k worker.ReadyKind) bool { return k == worker.ReadyAuto || k == worker.ReadyNotify }

// watchAuto looks for the worker on its sockets. One that has none is ready when it has been alive for a while.
func (p *pool) watchAuto(rec *record) {
	target := sighting{pool: p, ref: rec.ref, pid: rec.proc.PID()}
	for _, l := range rec.edition.listeners {
		if l.Mode() == listener.PerSlot {
			target.ports = append(target.ports, l.Port(rec.ref.Slot))
			continue
		}
		target.inodes = append(target.inodes, l.Inode(rec.ref.Slot, side(rec.ref.Side)))
	}
	if len(target.ports)+len(target.inodes) == 0 {
		p.assume(rec, aliveFor, "alive")
		return
	}
	p.sup.observer.watch(target)
	p.assume(rec, assumeAfter, howAssumed)
	rec.cancels = append(rec.cancels, func() { p.sup.observer.forget(rec.ref, p) })
}

// assume takes a worker for ready that is alive after a while.
func (p *pool) assume(rec *record, after time.Duration, how string) {
	ref := rec.ref
	t := time.AfterFunc(after, func() { p.sup.mail.post(proven{pool: p, ref: ref, gate: atProof, how: how}) })
	rec.cancels = append(rec.cancels, func() { t.Stop() })
}

// limitStartup gives a worker up that does not pass its startup probe in time.
func (p *pool) limitStartup(rec *record) {
	c := rec.edition.cfg.Health.Startup.WithDefaults()
	limit := c.InitialDelay + time.Duration(c.FailureThreshold)*c.Period
	ref := rec.ref
	t := time.AfterFunc(limit-rec.age(), func() { p.sup.mail.post(overdue{pool: p, ref: ref, limit: limit}) })
	rec.cancels = append(rec.cancels, func() { t.Stop() })
}

// overdue gives up a worker that has not passed its startup probe.
func (p *pool) overdue(m overdue) {
	rec := p.workers[m.ref]
	if rec == nil || rec.gate != atStartup || rec.over || rec.asked {
		return
	}
	rec.limit = m.limit
	if rec.probe == nil {
		rec.probe = errNotPassed
	}
	p.step(machine.Failed{Ref: m.ref, Age: rec.age()})
}

var errNotPassed = errors.New("startup: no attempt has come to its end")

// ready takes note that a worker has passed all gates.
func (p *pool) ready(rec *record, how string) {
	rec.readyAt, rec.probe = time.Now(), nil
	level, message := zerolog.InfoLevel, "worker ready"
	if how == howAssumed {
		level, message = zerolog.WarnLevel, "worker taken for ready: it is alive, but was not seen on its sockets; another ready is a better proof"
	}
	p.of(p.log.WithLevel(level), rec).Str(keyHow, how).Dur(keyAfter, rec.age().Round(time.Millisecond)).Msg(message)
	p.restore(rec)
	if len(p.unmet) > 0 {
		p.recheck()
	}
	p.monitor(rec)
	p.step(machine.BecameReady{Ref: rec.ref})
}
