package supervisor

import "time"

// reloading is a reload that the workers of a pool were told of, until it is known of all of them what became of it.
type reloading struct {
	begun  time.Time // zero if there is none
	ended  time.Time // when the last of those that say so had reloaded
	told   map[*record]word
	failed bool
}

// word is what a worker has said of its reload. One that says RELOADING=1 says READY=1 when it has reloaded; see
// sd_notify(3). Of the others nobody knows when they have, only that they did not die of it.
type word uint8

const (
	silent word = iota
	speaks
)

// tell takes note that a worker was told. One that could not be told before may hear of it when the books are closed.
func (r *reloading) tell(rec *record) {
	if r.told != nil {
		r.told[rec] = silent
	}
}

// booked counts a reload by its verdict.
func (p *pool) booked(begun time.Time, reply replier) replier {
	return bookedReply{pool: p, begun: begun, next: reply}
}

func (p *pool) book(begun, ended time.Time, failed bool) {
	p.changed()
	if failed {
		p.reloads.Failed++
		return
	}
	p.reloads.Done++
	p.reloads.Last = ended.Sub(begun).Seconds()
}

// beginReload opens the books. Who has not come back from the reload before has failed.
func (p *pool) beginReload(begun time.Time) {
	for rec, said := range p.reloading.told {
		p.cameBack(rec, said == silent)
	}
	p.reloading = reloading{begun: begun, ended: begun, told: map[*record]word{}}
}

// endReload closes the books if there is nobody left to wait for.
func (p *pool) endReload() {
	r := &p.reloading
	if r.begun.IsZero() || len(r.told) > 0 {
		return
	}
	p.book(r.begun, r.ended, r.failed)
	*r = reloading{}
}

// cameBack takes note of what became of a worker that was told to reload.
func (p *pool) cameBack(rec *record, well bool) {
	r := &p.reloading
	said, ok := r.told[rec]
	if !ok {
		return
	}
	delete(r.told, rec)
	r.failed = r.failed || !well
	if said == speaks {
		r.ended = time.Now()
	}
	p.endReload()
}

// toldOfReload hears what a worker says about it.
func (p *pool) toldOfReload(rec *record, begins, ready bool) {
	said, ok := p.reloading.told[rec]
	switch {
	case !ok:
	case begins:
		p.reloading.told[rec] = speaks
	case ready && said == speaks:
		p.cameBack(rec, true)
	}
}

// survivedReload takes note that a worker is still there some time after the signal.
func (p *pool) survivedReload(rec *record) {
	if said, ok := p.reloading.told[rec]; ok && said == silent {
		p.cameBack(rec, true)
	}
}

// hand writes down what is awaited; nil if nothing is.
func (r *reloading) hand(c clock) *HandedReload {
	if r.begun.IsZero() {
		return nil
	}
	h := &HandedReload{Begun: c.of(r.begun), Ended: c.of(r.ended), Failed: r.failed}
	for rec, said := range r.told {
		h.Told = append(h.Told, HandedWord{Ref: rec.ref, Word: said})
	}
	return h
}

// resumeReload goes on waiting. Who was told a moment ago gets the whole time again.
func (p *pool) resumeReload(c clock, h *HandedReload) {
	if h == nil {
		return
	}
	p.reloading = reloading{begun: c.time(h.Begun), ended: c.time(h.Ended), failed: h.Failed, told: map[*record]word{}}
	for _, said := range h.Told {
		if rec := p.workers[said.Ref]; rec != nil && !rec.over {
			p.reloading.told[rec] = said.Word
			p.restoreSoon(rec)
		}
	}
	p.endReload()
}
