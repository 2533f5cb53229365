package supervisor

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// Repairs counts what had to be put back of sockets that workers had spoiled for all who share them.
type Repairs struct {
	Revived  int `json:"revived"`  // they were shut down
	Nonblock int `json:"nonblock"` // O_NONBLOCK was off
	Backlog  int `json:"backlog"`  // it was another one
}

func (r *Repairs) count(what listener.Repair) {
	for repair, n := range map[listener.Repair]*int{
		listener.Revived: &r.Revived, listener.Nonblock: &r.Nonblock, listener.Backlog: &r.Backlog,
	} {
		if what&repair != 0 {
			*n++
		}
	}
}

// repairSight is what had to be put back of one socket, or why that failed.
type repairSight struct {
	listener seat
	repair   listener.Repair
	err      error
}

// repairAll puts back what a worker changed of its sockets. It is a few system calls for each, and may be called beside
// the loop.
func repairAll(t target) []repairSight {
	var found []repairSight
	for _, l := range t.listeners {
		if repair, err := l.Restore(t.ref.Slot, side(t.ref.Side)); repair != 0 || err != nil {
			found = append(found, repairSight{l, repair, err})
		}
	}
	return found
}

// afterReload is how long a worker has for its reload before its sockets are looked at: many listen anew.
const afterReload = time.Second

// restore puts back what the worker's own listen(2) and fcntl(2) changed of a socket that is not only its own.
func (p *pool) restore(rec *record) {
	p.repaired(rec, repairAll(target{ref: rec.ref, listeners: rec.edition.listeners}))
}

// restoreSoon does so when the worker has had time to follow a signal.
func (p *pool) restoreSoon(rec *record) {
	ref := rec.ref
	t := time.AfterFunc(afterReload, func() { p.sup.mail.post(restoreDue{pool: p, ref: ref}) })
	rec.cancels = append(rec.cancels, func() { t.Stop() })
}

// restoreDue puts back what the worker changed when it was told to reload.
func (p *pool) restoreDue(ref machine.Ref) {
	if rec := p.workers[ref]; rec != nil && !rec.over {
		p.restore(rec)
		p.survivedReload(rec)
	}
}

// repaired counts what was put back, and says who had spoiled it. That a worker listens with a backlog of its own is what
// most do, and worth no line.
func (p *pool) repaired(rec *record, all []repairSight) {
	for _, r := range all {
		if r.err != nil {
			p.failed(r.listener)("cannot restore socket", r.err)
		}
		if r.repair == 0 {
			continue
		}
		p.repairs.count(r.repair)
		level := zerolog.InfoLevel
		if r.repair == listener.Backlog {
			level = zerolog.DebugLevel
		}
		p.of(p.log.WithLevel(level), rec).Str(keyListener, r.listener.Name()).Stringer(keyRepair, r.repair).Msg("socket restored")
		p.tellRepair(rec, r.listener.Name(), r.repair)
	}
}

// Report tells the supervisor what happened to a listener behind its back; see listener.Options. It never blocks.
func (s *Supervisor) Report(ev listener.Event) { s.mail.post(happened{event: ev}) }

// happened counts the sockets that were revived, and says whose they are.
func (s *Supervisor) happened(ev listener.Event) {
	if ev.Kind != listener.EventRevived {
		return
	}
	for _, p := range s.pools {
		for _, l := range p.listeners() {
			if l.Listener.Name() == ev.Listener {
				p.revived(l, ev)
			}
		}
	}
}

func (p *pool) revived(l seat, ev listener.Event) {
	p.repairs.Revived += ev.Count
	log := p.log.With().Str(keyListener, l.Name()).Int(keyCount, ev.Count).Logger()
	const message = "socket that a worker had shut down listens again"
	if ev.Slot >= 0 && ev.Slot < len(p.st.Slots) {
		w := p.st.Slots[ev.Slot].Workers[ev.Side]
		if rec := p.workers[machine.Ref{Slot: ev.Slot, Side: machine.Side(ev.Side), Inc: w.Inc}]; rec != nil {
			p.of(log.Warn(), rec).Msg(message)
			p.tellRepair(rec, l.Name(), listener.Revived)
			return
		}
	}
	log.Warn().Msg(message)
	p.tellRepair(nil, l.Name(), listener.Revived)
}
