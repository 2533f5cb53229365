package supervisor

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// howAssumed is the one proof of readiness that is none.
const howAssumed = "assumed"

// watch begins the search for the proof that a worker is ready.
func (p *pool) watch(rec *record) {
	ready := rec.edition.cfg.Ready
	switch ready.Kind {
	case worker.ReadyAuto:
		p.watchAuto(rec)
	case worker.ReadyNotify: // the datagram comes by itself
	case worker.ReadyHTTP:
		p.probe(rec, func(ctx context.Context) error { return p.get(ctx, rec) })
	case worker.ReadyTCP:
		p.probe(rec, func(ctx context.Context) error { return p.knock(ctx, rec) })
	case worker.ReadyExec:
		p.probe(rec, p.checker(rec))
	case worker.ReadyDelay:
		p.assume(rec, ready.Delay, "alive")
	}
}

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
	stop := rec.cancel
	rec.cancel = func() {
		stop()
		p.sup.observer.forget(rec.ref, p)
	}
}

// assume takes a worker for ready that is alive after a while.
func (p *pool) assume(rec *record, after time.Duration, how string) {
	ref := rec.ref
	t := time.AfterFunc(after, func() { p.sup.mail.post(proven{pool: p, ref: ref, how: how}) })
	rec.cancel = func() { t.Stop() }
}

// ready takes note of the proof.
func (p *pool) ready(ref machine.Ref, how string) {
	rec := p.workers[ref]
	w, ok := p.st.Worker(ref)
	if rec == nil {
		return
	}
	rec.unwatch()
	if !ok || w.Health != machine.Starting || rec.over {
		return
	}
	rec.readyAt = time.Now()
	level, message := zerolog.InfoLevel, "worker ready"
	if how == howAssumed {
		level, message = zerolog.WarnLevel, "worker taken for ready: it is alive, but was not seen on its sockets; another ready is a better proof"
	}
	p.of(p.log.WithLevel(level), rec).Str(keyHow, how).Dur(keyAfter, rec.age().Round(time.Millisecond)).Msg(message)
	p.restore(rec)
	if len(p.unmet) > 0 {
		p.recheck()
	}
	p.step(machine.BecameReady{Ref: ref})
}

// restore puts back what the worker's own listen(2) and fcntl(2) changed of a socket that is not only its own.
func (p *pool) restore(rec *record) {
	p.eachOf(rec, "cannot restore socket", func(l Listener) error {
		repair, err := l.Restore(rec.ref.Slot, side(rec.ref.Side))
		if repair != 0 {
			p.of(p.log.Debug(), rec).Str(keyListener, l.Name()).Stringer(keyRepair, repair).Msg("socket restored")
		}
		return err
	})
}
