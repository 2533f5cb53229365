package supervisor

import (
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// sense is one way to find out whether a worker works.
type sense uint8

// The senses. What the first one finds is cured by waiting; what the others find, by another worker.
const (
	byReadiness sense = iota
	byLiveness
	byWatchdog
	byHang
	senses int = iota
)

// cause is of the death of a worker that is replaced for what a sense has found.
func (s sense) cause() Cause {
	switch s {
	case byWatchdog:
		return CauseWatchdog
	case byHang:
		return CauseHang
	case byReadiness, byLiveness:
	}
	return CauseProbe
}

// fitness is what all senses together come to.
type fitness uint8

const (
	fit fitness = iota
	unready
	failing
)

// complaint is what is wrong with a worker.
type complaint struct {
	cause  Cause
	detail string
	since  time.Time
}

// health is what is known of a worker that has been ready once.
type health struct {
	wrong [senses]complaint // what each sense has found; without a detail nothing is wrong
	told  fitness           // what the machine heard last
	noted bool              // it was logged that it stays although it does not work
}

func (h *health) fitness() fitness {
	worst := fit
	for by := range h.wrong {
		switch {
		case h.wrong[by].detail == "":
		case sense(by) == byReadiness:
			worst = max(worst, unready)
		default:
			worst = failing
		}
	}
	return worst
}

// worst is the complaint to act upon: the oldest of those that count most.
func (h *health) worst() complaint {
	worst := h.wrong[byReadiness]
	if h.fitness() != failing {
		return worst
	}
	worst = complaint{}
	for _, c := range h.wrong[byReadiness+1:] {
		if c.detail != "" && (worst.detail == "" || c.since.Before(worst.since)) {
			worst = c
		}
	}
	return worst
}

// accuse takes note of what a sense has found wrong with a worker.
func (p *pool) accuse(rec *record, by sense, detail string) {
	c := &rec.health.wrong[by]
	if c.detail == "" {
		c.cause, c.since = by.cause(), time.Now()
	}
	if c.detail != detail {
		c.detail = detail
		p.changed()
	}
	p.judge(rec)
}

// acquit takes note that a sense finds nothing wrong any more.
func (p *pool) acquit(rec *record, by sense) {
	if c := &rec.health.wrong[by]; c.detail != "" {
		*c = complaint{}
		p.changed()
	}
	p.judge(rec)
}

// judge tells the machine how a worker does, if that has changed. It is the one place that does.
func (p *pool) judge(rec *record) {
	h := &rec.health
	is := h.fitness()
	if is == h.told || rec.gate != through || rec.over || rec.asked || rec.fault.cause != "" {
		return
	}
	h.told, h.noted = is, false
	switch is {
	case fit:
		delete(p.unfit, rec)
		p.of(p.log.Info(), rec).Msg("worker works again")
	case unready:
		p.unfit[rec] = true
		p.of(p.log.Warn(), rec).Str(keyDetail, h.worst().detail).Msg("worker is not ready any more")
	case failing: // what is done about it will be said
		p.unfit[rec] = true
	}
	p.step(rec.fitnessEvent())
	p.noteThoseThatStay()
}

// fitnessEvent is what the machine has to hear.
func (r *record) fitnessEvent() machine.Event {
	switch r.health.fitness() {
	case fit:
		return machine.BecameReady{Ref: r.ref}
	case unready:
		return machine.BecameUnready{Ref: r.ref}
	case failing:
	}
	return machine.Failed{Ref: r.ref, Age: r.age()}
}

// remind tells the machine again of workers that it has taken back into service, which were on their way out when
// something was found wrong with them. It is called while the actions of a step are performed.
func (p *pool) remind() {
	for rec := range p.unfit {
		if w, ok := p.st.Worker(rec.ref); ok && w.Health.Serves() {
			p.next = append(p.next, rec.fitnessEvent())
		}
	}
}

// noteThoseThatStay says once of each worker that does not work why nothing happens to it.
func (p *pool) noteThoseThatStay() {
	for rec := range p.unfit {
		if w, ok := p.st.Worker(rec.ref); ok && w.Health == machine.Failing && !rec.health.noted {
			rec.health.noted = true
			c := rec.health.worst()
			p.of(p.log.Warn(), rec).Str(keyCause, string(c.cause)).Str(keyDetail, c.detail).
				Msg("worker does not work, and stays for now, because others are being replaced")
		}
	}
}

// condemn takes note why a worker is killed that was not told to leave.
func (p *pool) condemn(rec *record) {
	if !rec.asked && rec.fault.cause == "" && rec.health.fitness() == failing {
		rec.fault = rec.health.worst()
	}
}

// wellness is what the status says about a worker that something is wrong with.
func (r *record) wellness() string {
	switch {
	case r.over || r.asked:
		return ""
	case r.gate == through:
		return r.health.worst().detail
	case r.probe != nil:
		return r.probe.Error()
	}
	return ""
}
