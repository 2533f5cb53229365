package machine

import (
	"fmt"
	"slices"
	"time"
)

// happening is something that the environment may do to a world.
type happening struct {
	ev    Event
	spend func(*budget) *uint8 // what it costs; nil if it may always happen
	helps bool                 // it happens sooner or later even where no worker ever obeys
	late  bool                 // late or duplicate news, or a request that comes too late: nothing may come of it
}

func (h happening) String() string {
	late := ""
	if h.late {
		late = " (late)"
	}
	return fmt.Sprintf("%T%+v%s", h.ev, h.ev, late)
}

// Ages around the limits of the specs that the model uses.
const (
	recycleAge = 10 * time.Second
	stableAge  = 60 * time.Second
)

func crashes(b *budget) *uint8 { return &b.crashes }
func remains(b *budget) *uint8 { return &b.remains }
func leaves(b *budget) *uint8  { return &b.leaves }
func lates(b *budget) *uint8   { return &b.lates }
func rolls(b *budget) *uint8   { return &b.rolls }
func reloads(b *budget) *uint8 { return &b.reloads }
func scales(b *budget) *uint8  { return &b.scales }
func changes(b *budget) *uint8 { return &b.changes }
func aborts(b *budget) *uint8  { return &b.aborts }
func dumps(b *budget) *uint8   { return &b.dumps }
func unfits(b *budget) *uint8  { return &b.unfits }
func dues(b *budget) *uint8    { return &b.dues }
func losses(b *budget) *uint8  { return &b.losses }
func others(b *budget) *uint8  { return &b.others }
func strays(b *budget) *uint8  { return &b.strays }
func terms(b *budget) *uint8   { return &b.terms }
func stops(b *budget) *uint8   { return &b.stops }

// possible lists all that may happen to a world, always in the same order.
func (w *world) possible(to []happening) []happening {
	can := func(h happening) {
		if h.spend == nil || *h.spend(&w.left) > 0 {
			to = append(to, h)
		}
	}
	if w.exited {
		return append(to, happening{ev: TermReceived{}, late: true}, happening{ev: RollRequested{}, late: true})
	}
	for i := range w.procs {
		if w.procs[i].lives() {
			w.newsOf(i, can)
		}
		w.lateNewsAt(i, can)
	}
	for _, t := range w.timers {
		if t.Kind == ReadyTimer {
			can(happening{ev: TimerFired{Timer: t}, spend: lates})
			continue
		}
		can(happening{ev: TimerFired{Timer: t}, helps: true})
	}
	w.claimNews(can)
	w.requests(can)
	return to
}

// newsOf is what the process at a place may do next.
func (w *world) newsOf(i int, can func(happening)) {
	p, ref := &w.procs[i], w.ref(i)
	if !p.leader {
		can(happening{ev: Gone{Ref: ref}, helps: p.killed})
		return
	}
	if p.told || p.killed || p.leaving {
		can(happening{ev: Died{Ref: ref, Clean: true, Age: stableAge}, helps: p.killed})
		can(happening{ev: Died{Ref: ref, Clean: true, Age: stableAge, Remains: true}, spend: remains, helps: p.killed})
		if p.told {
			can(happening{ev: Died{Ref: ref, Age: stableAge, Remains: true, Untold: true}, spend: remains, helps: p.killed})
		}
		if p.leaving && !p.told {
			can(happening{ev: Died{Ref: ref}, spend: crashes})
		}
		return
	}
	w.fitnessOf(i, can)
	can(happening{ev: LeavesByItself{Ref: ref}, spend: leaves})
	can(happening{ev: Died{Ref: ref}, spend: crashes})
	can(happening{ev: Died{Ref: ref, Age: stableAge}, spend: crashes})
	can(happening{ev: Died{Ref: ref, Clean: true, Age: recycleAge}, spend: crashes})
	can(happening{ev: Died{Ref: ref, Clean: true}, spend: crashes})
	if w.left.crashes > 0 {
		can(happening{ev: Died{Ref: ref, Remains: true}, spend: remains})
	}
}

// fitnessOf is what may be found out about a process that was not told to leave. One that is
// unready gets ready again sooner or later, but a rollout must not wait for that; one that does not work may stay so.
func (w *world) fitnessOf(i int, can func(happening)) {
	p, ref := &w.procs[i], w.ref(i)
	settles := w.health(i) == Settling
	if !p.due {
		can(happening{ev: RecycleDue{Ref: ref}, spend: dues, late: w.stopping})
	}
	switch {
	case settles:
	case !p.said:
		can(happening{ev: BecameReady{Ref: ref}, helps: true})
		can(happening{ev: Failed{Ref: ref}, spend: unfits})
	case p.fit == isFit:
		can(happening{ev: BecameUnready{Ref: ref}, spend: unfits})
		can(happening{ev: Failed{Ref: ref}, spend: unfits})
		can(happening{ev: Failed{Ref: ref, Age: stableAge}, spend: unfits})
	case p.fit == isUnready:
		can(happening{ev: BecameReady{Ref: ref}, helps: w.open == 0})
		can(happening{ev: Failed{Ref: ref}, spend: unfits})
	case p.fit == isFailing:
		can(happening{ev: BecameReady{Ref: ref}})
		can(happening{ev: BecameUnready{Ref: ref}})
	}
}

// lateNewsAt is what may still arrive about the workers that a place has had.
func (w *world) lateNewsAt(i int, can func(happening)) {
	here := at(i)
	gone := Ref{Slot: here.Slot, Side: here.Side, Inc: long}
	for _, ev := range []Event{
		BecameReady{Ref: gone},
		Died{Ref: gone},
		Gone{Ref: gone},
		LeavesByItself{Ref: gone},
		BecameUnready{Ref: gone},
		Failed{Ref: gone},
		RecycleDue{Ref: gone},
	} {
		can(happening{ev: ev, late: true})
	}
	inc, health := w.holder(i), w.health(i)
	if kind, has := timerOf(health); has {
		can(happening{ev: TimerFired{Timer: Timer{Kind: kind, Ref: gone}}, late: true})
	}
	if inc == 0 {
		return
	}
	ref := Ref{Slot: here.Slot, Side: here.Side, Inc: inc}
	for kind := BackoffTimer; kind <= RecycleTimer; kind++ {
		if t := (Timer{Kind: kind, Ref: ref}); !slices.Contains(w.timers, t) {
			can(happening{ev: TimerFired{Timer: t}, late: true})
		}
	}
	p := w.proc(ref)
	if p == nil {
		return
	}
	if p.said && p.fit == isFit || p.leaving {
		can(happening{ev: BecameReady{Ref: ref}, late: true})
	}
	if !p.said || p.fit == isUnready || p.leaving || health == Settling {
		can(happening{ev: BecameUnready{Ref: ref}, late: true})
	}
	if p.fit == isFailing || p.leaving || health == Settling {
		can(happening{ev: Failed{Ref: ref}, late: true})
	}
	if p.leaving {
		can(happening{ev: LeavesByItself{Ref: ref}, late: true})
		can(happening{ev: RecycleDue{Ref: ref}, late: true})
	}
	if !p.leader {
		can(happening{ev: Died{Ref: ref, Remains: true}, late: true})
	}
}

// requests is what users may ask for. What comes too late or is out of bounds costs nothing, because nothing may come
// of it.
func (w *world) requests(can func(happening)) {
	ask := func(ev Event, spend func(*budget) *uint8, vain bool) {
		if vain {
			spend = nil
		}
		can(happening{ev: ev, spend: spend, late: vain})
	}
	serving := w.safe()
	ask(RollRequested{}, rolls, w.stopping)
	ask(ReloadRequested{Safe: serving}, reloads, w.stopping)
	if len(serving) > 0 {
		ask(ReloadRequested{Safe: serving[1:]}, reloads, w.stopping)
	}
	ask(DumpRequested{}, dumps, w.stopping)
	for _, n := range [...]int{w.wanted() - 1, w.wanted() + 1} {
		ask(ScaleRequested{Workers: n}, scales, w.stopping || !w.scales(n))
	}
	for _, spec := range w.menu {
		ask(SpecChanged{Spec: spec}, changes, w.stopping || !w.changes(spec))
		ask(SpecChanged{Spec: spec, Roll: true}, changes, w.stopping)
	}
	ask(SpecChanged{}, nil, true)
	ask(AbortRequested{}, aborts, w.open == 0 && !w.queued)
	ask(TermReceived{}, terms, false)
	ask(StopRequested{}, stops, w.stopping)
	if !w.stopping {
		ask(StopRequested{Outlived: true}, stops, false)
	}
	ask(KillRequested{}, nil, false)
}

// safe lists all workers that are up: as an answer to a reload it says that all of them handle the signal.
func (w *world) safe() []Ref {
	var refs []Ref
	for i := range w.procs {
		if w.procs[i].serves() && isUp(w.health(i)) {
			refs = append(refs, w.ref(i))
		}
	}
	return refs
}
