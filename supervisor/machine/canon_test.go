package machine

import (
	"cmp"
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
	w.renumberFences()
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

// key is a name for a canonical world but for its budget: 128 bits are enough to hold billions of worlds apart.
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
	return h.sum()
}

// late is a name for the late news among all that may happen to a world, and for what it goes by: the state of the machine.
func (h *hasher) late(w *world, all []happening) key {
	h.buf = w.st.encode(h.buf[:0])
	for _, one := range all {
		if one.late {
			h.buf = one.encode(h.buf)
		}
	}
	return h.sum()
}

func (h *hasher) sum() key {
	return key{maphash.Bytes(h.seeds[0], h.buf), maphash.Bytes(h.seeds[1], h.buf)}
}
