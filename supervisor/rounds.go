package supervisor

import "time"

// A round looks at all workers of a pool for which there is something to see: what the kernel has no event for. Its
// timer runs only while there is such a worker.
type roundKind uint8

const (
	forHangs roundKind = iota
	forMemory
	roundKinds int = iota
)

// memoryEvery is seldom, because the kernel walks through all of a process's memory to weigh it.
const memoryEvery = 10 * time.Second

// repairEvery is how often sockets are put right, if there are rounds at all. That one is shut down is told by the kernel.
const repairEvery = 10 * time.Second

// How often workers are looked at for hangs: often enough to see a queue move, and not so often that it costs.
const (
	hangLooks    = 5 // within the time that makes a hang
	hangSoonest  = 50 * time.Millisecond
	hangSlowest  = time.Second
	stoppedLimit = time.Second // a stopped worker does nothing at all; one in a debugger does not count as stopped
)

// pause is how long a worker may be left alone; 0 is for ever.
func (r *record) pause(kind roundKind) time.Duration {
	cfg := r.edition.cfg
	switch kind {
	case forHangs:
		if cfg.Health.Hang > 0 {
			return min(max(cfg.Health.Hang/hangLooks, hangSoonest), hangSlowest)
		}
	case forMemory:
		if cfg.Recycle.MaxMemory > 0 && !r.service.due {
			return memoryEvery
		}
	}
	return 0
}

// isWatched reports whether a worker has been ready, and nothing has been decided about it since.
func (r *record) isWatched() bool {
	return r.gate == through && r.proc != nil && !r.over && !r.asked && !r.leaves && r.fault.cause == ""
}

// beginRounds makes sure that there are rounds if a worker needs them.
func (p *pool) beginRounds(rec *record) {
	if rec.pause(forHangs) == 0 {
		rec.hang = hangWatch{}
		p.acquit(rec, byHang)
	}
	for kind := range roundKind(roundKinds) {
		if p.rounds[kind] == nil && rec.pause(kind) > 0 {
			p.schedule(kind, rec.pause(kind))
		}
	}
}

func (p *pool) schedule(kind roundKind, after time.Duration) {
	p.rounds[kind] = time.AfterFunc(after, func() { p.sup.mail.post(roundDue{pool: p, kind: kind}) })
}

// roundDue looks beside the loop at whoever is to be looked at.
func (p *pool) roundDue(kind roundKind) {
	var targets []target
	repair := time.Since(p.repairedAt) >= repairEvery
	for _, rec := range p.workers {
		if rec.isWatched() && rec.pause(kind) > 0 {
			targets = append(targets, target{
				ref: rec.ref, watch: rec.watch, pid: rec.proc.PID(), listeners: rec.edition.listeners,
				repair:  repair,
				suspect: kind == forHangs && rec.hang.isSuspect(time.Now(), rec.edition.cfg.Health.Hang),
			})
		}
	}
	if len(targets) == 0 {
		p.rounds[kind] = nil
		return
	}
	if repair {
		p.repairedAt = time.Now()
	}
	world := p.sup.cfg.World
	p.sup.goOn(func() {
		p.sup.mail.post(roundSeen{pool: p, kind: kind, seen: world.lookAt(kind, targets)})
	})
}

// roundSeen judges what a round has seen, and sees to the next one.
func (p *pool) roundSeen(m roundSeen) {
	for i := range m.seen {
		s := &m.seen[i]
		rec := p.workers[s.ref]
		if rec == nil || rec.watch != s.watch {
			continue
		}
		p.repaired(rec, s.repairs)
		switch {
		case !rec.isWatched():
		case m.kind == forHangs:
			p.seenMoving(rec, s)
		case m.kind == forMemory:
			p.weighed(rec, s.memory)
		}
	}
	p.rounds[m.kind] = nil
	next := time.Duration(0)
	for _, rec := range p.workers {
		if pause := rec.pause(m.kind); rec.isWatched() && pause > 0 && (next == 0 || pause < next) {
			next = pause
		}
	}
	if next > 0 {
		p.schedule(m.kind, next)
	}
}
