package machine

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// long is an incarnation that no living worker ever has in a canonical world: its news is always late.
const long = 1

// canonical renames what differs between worlds that behave alike: incarnations and generations are numbered anew
// by order of appearance, failures beyond the last one that matters are cut off, and what cannot be spent any more
// is taken from the budget. The order of slots, sides, ids and queues is kept: it may matter.
func (w *world) canonical() {
	w.renumberIncarnations()
	w.renumberGenerations()
	matters := 2 // delay makes no difference between more failures but for the length of the timer
	if limit := w.spec.Backoff.GiveUpAfter; limit > 0 {
		matters = limit
	}
	for i := range w.st.Slots {
		w.st.Slots[i].Failures = min(w.st.Slots[i].Failures, matters)
		w.fails[i] = min(w.fails[i], uint8(matters))
	}
	w.left.trim(w.stopping)
	if !w.hasCanaries() {
		w.passed, w.st.Rollout.Proven = false, false // makes no difference
	}
	slices.SortFunc(w.timers, func(a, b Timer) int {
		return cmp.Or(cmp.Compare(a.Ref.Inc, b.Ref.Inc), cmp.Compare(a.Kind, b.Kind))
	})
}

func (w *world) hasCanaries() bool {
	canary := func(s Spec) bool { return s.Canary > 0 }
	return canary(w.spec) || canary(w.prior) || canary(w.coming) || slices.ContainsFunc(w.menu, canary)
}

func (w *world) renumberIncarnations() {
	var old [64]uint64 // old[n] is the one that becomes long+1+n
	known := old[:0]
	name := func(inc *uint64) {
		if *inc == 0 {
			return
		}
		n := slices.Index(known, *inc)
		if n < 0 {
			n = len(known)
			known = append(known, *inc)
		}
		*inc = uint64(long + 1 + n)
	}
	for i := range w.st.Slots {
		for side := range w.st.Slots[i].Workers {
			name(&w.st.Slots[i].Workers[side].Inc)
		}
	}
	for i := range w.procs {
		name(&w.procs[i].inc)
	}
	w.st.Dumps, w.st.Owed, w.st.Due = slices.Clone(w.st.Dumps), slices.Clone(w.st.Owed), slices.Clone(w.st.Due)
	for i := range w.st.Dumps {
		name(&w.st.Dumps[i].Inc)
	}
	for i := range w.st.Owed {
		name(&w.st.Owed[i].Inc)
	}
	for i := range w.st.Due {
		name(&w.st.Due[i].Inc)
	}
	for i := range w.st.Slots {
		name(&w.st.Slots[i].Outdated)
	}
	name(&w.st.Resting.Inc)
	for i := range w.timers {
		name(&w.timers[i].Ref.Inc)
	}
	w.st.LastInc = uint64(long + len(known))
	w.inc = w.st.LastInc
}

// renumberGenerations keeps their order, because the machine goes by it.
func (w *world) renumberGenerations() {
	var room [64]uint64
	all := room[:0]
	w.eachGeneration(func(g *uint64) {
		if *g != 0 && !slices.Contains(all, *g) {
			all = append(all, *g)
		}
	})
	slices.Sort(all)
	w.eachGeneration(func(g *uint64) {
		if *g != 0 {
			n, _ := slices.BinarySearch(all, *g)
			*g = uint64(n + 1)
		}
	})
}

func (w *world) eachGeneration(do func(*uint64)) {
	for _, g := range []*uint64{&w.st.Generation, &w.st.Rollout.Target, &w.st.Rollout.Queued, &w.good, &w.open, &w.target} {
		do(g)
	}
	for i := range w.st.Slots {
		do(&w.st.Slots[i].Generation)
		for side := range w.st.Slots[i].Workers {
			do(&w.st.Slots[i].Workers[side].Generation)
		}
	}
	for i := range w.procs {
		do(&w.procs[i].generation)
	}
}

// key is a name for a canonical world: 128 bits are enough to hold billions of worlds apart.
type key [2]uint64

type hasher struct {
	seeds [2]maphash.Seed
	buf   []byte
}

func newHasher() *hasher {
	return &hasher{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (h *hasher) key(w *world) key {
	h.buf = w.encode(h.buf[:0])
	return key{maphash.Bytes(h.seeds[0], h.buf), maphash.Bytes(h.seeds[1], h.buf)}
}

func (w *world) encode(b []byte) []byte {
	num := func(vs ...uint64) {
		for _, v := range vs {
			b = binary.AppendUvarint(b, v)
		}
	}
	flags := func(fs ...bool) {
		v := uint64(0)
		for i, f := range fs {
			if f {
				v |= 1 << i
			}
		}
		num(v)
	}
	st := &w.st
	num(uint64(st.Phase), st.Generation, uint64(st.Rollout.Phase), st.Rollout.Target, st.Rollout.Queued)
	num(uint64(st.Terms), uint64(st.ExitCode), uint64(len(st.Slots)), uint64(len(w.procs)), uint64(len(st.Dumps)), uint64(len(st.Owed)))
	for i := range st.Slots {
		s := &st.Slots[i]
		num(s.Generation, uint64(s.Home), uint64(s.Failures), s.Outdated)
		flags(s.Repairing)
		for side := range s.Workers {
			v := &s.Workers[side]
			num(uint64(v.Health), v.Inc, uint64(v.ID), v.Generation, uint64(v.Ended))
		}
	}
	num(uint64(len(st.Due)))
	for _, refs := range [][]Ref{st.Dumps, st.Owed, st.Due, {st.Resting}} {
		for _, r := range refs {
			num(uint64(r.place().index()), r.Inc)
		}
	}
	for i := range w.procs {
		p := &w.procs[i]
		num(p.inc, uint64(p.id), p.generation, uint64(p.dump), uint64(p.ended), uint64(p.fit))
		flags(p.leader, p.said, p.leaving, p.told, p.killed, p.owed, p.proving, p.due, p.tried, p.traced, w.adopted[i])
	}
	b = append(b, w.fails...)
	flags(w.mending...)
	num(uint64(len(w.steered)))
	for _, p := range w.steered {
		num(uint64(p.index()))
	}
	for _, t := range w.timers {
		num(uint64(t.Kind), uint64(t.Ref.place().index()), t.Ref.Inc)
	}
	flags(w.stopping, w.patient, w.failed, w.exited, w.queued, w.passed, st.Rollout.Proven)
	num(uint64(w.terms), w.good, w.open, w.target)
	l := &w.left
	b = append(b, l.total, l.crashes, l.remains, l.leaves, l.lates, l.rolls, l.reloads, l.scales, l.dumps, l.changes, l.aborts, l.unfits, l.dues, l.terms, l.stops)
	for _, s := range []*Spec{&w.spec, &w.prior, &w.coming, &st.Rollout.Before, &st.Rollout.After} {
		b = s.encode(b) // the one in force is the same in both, or the step broke a rule
	}
	return b
}

// encode writes what differs between the specifications of one search. What follows the number of workers is not looked
// at where there are none.
func (s *Spec) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(s.Workers))
	if s.Workers == 0 {
		return b
	}
	for _, v := range [...]int{
		s.MaxSurge, s.MaxUnavailable, s.SurgePercent, s.UnavailablePercent, s.FirstID, s.LastID, int(s.Order), int(s.Reload),
		int(s.Restart), int(s.ReadyTimeout), int(s.MinReady), int(s.Canary), int(s.Settle), int(s.StopDelay), s.Backoff.GiveUpAfter,
		int(s.Trace), int(s.RecycleGap), map[bool]int{true: 1}[s.Leader],
	} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return b
}
