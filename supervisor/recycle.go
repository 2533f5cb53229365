package supervisor

import (
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/machine"
)

// service is how much a worker has done, and whether that is enough.
type service struct {
	requests uint64 // that it says it has served
	due      bool   // the machine knows that it is to be recycled
}

// beginService sets the time of a worker that is to be recycled when it has lived long enough.
func (p *pool) beginService(rec *record) {
	limit := rec.edition.cfg.Recycle.MaxLifetime
	if limit == 0 || rec.service.due {
		return
	}
	limit = time.Duration(p.stretch(rec, uint64(limit)))
	ref, watch := rec.ref, rec.watch
	t := time.AfterFunc(limit-time.Since(rec.readyAt), func() {
		p.sup.mail.post(lifetimeOver{pool: p, ref: ref, watch: watch, limit: limit})
	})
	rec.cancels = append(rec.cancels, func() { t.Stop() })
}

// stretch is a limit with the worker's own part of the jitter, so that those that began together do not end together.
func (p *pool) stretch(rec *record, limit uint64) uint64 {
	jitter := rec.edition.cfg.Recycle.Jitter
	if jitter == 0 {
		return limit
	}
	share := rand.New(rand.NewPCG(p.sup.seed, rec.ref.Inc)).Float64() //nolint:gosec // nobody gains by guessing it
	return limit + uint64(float64(limit)*share*float64(jitter)/100)
}

func (p *pool) lifetimeOver(m lifetimeOver) {
	if rec := p.workers[m.ref]; rec != nil && rec.watch == m.watch {
		p.recycle(rec, "max_lifetime", func(e *zerolog.Event) *zerolog.Event {
			return e.Stringer(keyLimit, m.limit.Round(time.Millisecond)).Dur(keyAge, rec.age().Round(time.Millisecond))
		})
	}
}

// served hears how many requests a worker has served by now.
func (p *pool) served(rec *record, requests uint64) {
	if requests > rec.service.requests {
		p.slot(rec.ref.Slot).requests.Add(requests - rec.service.requests)
		rec.service.requests = requests
	}
	limit := rec.edition.cfg.Recycle.MaxRequests
	if limit == 0 || rec.gate != through {
		return
	}
	if limit = p.stretch(rec, limit); requests >= limit {
		p.recycle(rec, "max_requests", func(e *zerolog.Event) *zerolog.Event {
			return e.Uint64(keyLimit, limit).Uint64(keyRequests, requests)
		})
	}
}

// weighed hears how many bytes a worker and its descendants have.
func (p *pool) weighed(rec *record, memory uint64) {
	limit := rec.edition.cfg.Recycle.MaxMemory
	if limit == 0 {
		return
	}
	if limit = p.stretch(rec, limit); memory >= limit {
		p.recycle(rec, "max_memory", func(e *zerolog.Event) *zerolog.Event {
			return e.Uint64(keyLimit, limit).Uint64(keyMemory, memory)
		})
	}
}

// recycle asks once for a worker to be replaced that works.
func (p *pool) recycle(rec *record, why string, numbers func(*zerolog.Event) *zerolog.Event) {
	if rec.service.due || rec.over || rec.asked {
		return
	}
	rec.service.due = true
	numbers(p.of(p.log.Info(), rec).Str(keyWhy, why)).Msg("worker is due to be recycled")
	p.step(machine.RecycleDue{Ref: rec.ref})
}
