package supervisor

import (
	"cmp"
	"maps"
	"slices"
)

// hand writes down what is known of a pool.
func (p *pool) hand(c clock, answers *answerBook) HandedPool {
	h := HandedPool{
		Name: p.name, State: p.st, Station: p.station, First: p.first, Settled: p.settled, Unmet: p.unmet,
		Rollout: p.last, Reloads: p.reloads, Repairs: p.repairs, Deaths: maps.Clone(p.deaths), Code: p.code,
		Scaled: HandedScaling{Reason: p.scaling.reason, To: p.scaling.to, Detail: p.scaling.detail, Changed: c.of(p.scaling.changed)},
	}
	for generation, e := range p.editions {
		h.Editions = append(h.Editions, p.handEdition(generation, e))
	}
	slices.SortFunc(h.Editions, func(a, b HandedEdition) int { return cmp.Compare(a.Generation, b.Generation) })
	for _, rec := range p.workers {
		h.Workers = append(h.Workers, rec.hand(c))
	}
	h.Failures = slices.Clone(p.confession.open)
	h.Claims, h.Member = p.handClaims(), p.handMember()
	slices.SortFunc(h.Workers, func(a, b HandedWorker) int { return cmp.Compare(a.Ref.Inc, b.Ref.Inc) })
	for slot, book := range p.slots {
		h.Slots = append(h.Slots, HandedSlot{Slot: slot, Restarts: book.restarts, LastExit: book.lastExit, Requests: book.requests.Load()})
	}
	for key, t := range p.timers {
		h.Timers = append(h.Timers, HandedTimer{Timer: key, Ends: c.of(t.ends)})
	}
	for _, w := range p.waiting {
		waits := HandedWaiter{Target: w.target}
		waits.Answer = answers.enter(c, w.reply, &waits)
		h.Waiting = append(h.Waiting, waits)
	}
	h.Reload = p.reloading.hand(c)
	for _, r := range p.restarts {
		h.Restarts = append(h.Restarts, HandedRestart{Ref: r.ref, PID: r.pid, Answer: answers.enter(c, r.reply, &HandedWaiter{})})
	}
	return h
}

func (p *pool) handEdition(generation uint64, e *edition) HandedEdition {
	h := HandedEdition{Generation: generation, Pool: *e.cfg, Repeats: e.repeats}
	for _, l := range e.listeners {
		h.Seats = append(h.Seats, HandedSeat{Key: p.sup.house.keyOf(l.Listener), Name: l.name})
	}
	if e.program != nil {
		h.Program = new(e.program.Hand())
	}
	return h
}

// hand writes down what is known of a worker.
func (r *record) hand(c clock) HandedWorker {
	h := HandedWorker{
		Ref: r.ref, ID: r.id, Generation: r.generation, Made: c.of(r.made), Unborn: r.unborn,
		Gate: r.gate, Notified: r.notified, Leaves: r.leaves, Garbled: r.garbled, Reload: r.reload, Status: r.status,
		ReadyAt: c.of(r.readyAt), Limit: r.limit, Health: r.health.told, Noted: r.health.noted,
		Requests: r.service.requests, Due: r.service.due,
		Asked: r.asked, Why: r.why, Killed: r.killed, Relayed: r.relayed, Purpose: r.purpose,
		Over: r.over, OOMKilled: r.oomKilled, Exit: r.exit, Ended: c.of(r.ended),
	}
	if r.proc != nil {
		h.Process, h.Born = new(r.proc.Hand()), r.born.UnixNano()
	}
	if r.output != nil {
		h.Output = r.output.Hand()
	}
	if r.notify != nil {
		h.Notify = new(r.notify.Hand())
	}
	if r.group != nil {
		h.Group = new(r.group.Hand())
	}
	if r.mortal.token != 0 {
		h.Mortal = &HandedMortal{Token: r.mortal.token, Sessions: r.mortal.sessions}
	}
	if r.tmp != nil {
		h.Tmp = new(r.tmp.Hand())
	}
	if r.probe != nil {
		h.Probe = r.probe.Error()
	}
	if r.err != nil {
		h.Err = r.err.Error()
	}
	for _, l := range r.lost {
		h.Lost = append(h.Lost, HandedClaim{Claim: l.claim, HandedPlace: HandedPlace{Saved: l.place.Saved(), FD: -1}})
	}
	if r.fault.cause != "" {
		h.Fault = new(handComplaint(c, 0, r.fault))
	}
	for by, wrong := range r.health.wrong {
		if wrong.detail != "" {
			h.Wrong = append(h.Wrong, handComplaint(c, sense(by), wrong))
		}
	}
	return h
}

func handComplaint(c clock, by sense, wrong complaint) HandedComplaint {
	return HandedComplaint{By: by, Cause: wrong.cause, Detail: wrong.detail, Since: c.of(wrong.since)}
}
