package logs

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Worker says whose output it is.
type Worker struct {
	Pool string
	Slot int // NoSlot for what runs once, before the workers
	ID   int // the worker's id; it need not be unique
}

// NoSlot is the slot of a command that runs in the place of a pool's workers, before they start.
const NoSlot = -1

// Label is what people call it: web.2, or web.pre.
func (w Worker) Label() string {
	if w.Slot == NoSlot {
		return w.Pool + ".pre"
	}
	return w.Pool + "." + strconv.Itoa(w.Slot)
}

// place is where workers come from, one after another.
type place struct {
	pool string
	slot int
}

// source has what the workers of one slot said. It stays when they are gone.
type source struct {
	mux   *Mux
	place place

	read, dropped [2]atomic.Uint64 // lines, bytes

	mu   sync.Mutex
	live []*recorder
	past []*recorder // of workers that are gone, oldest first
}

const (
	// pastWorkers bounds how many workers that are gone are remembered of a slot, if each said little.
	pastWorkers = 16
	// pastSize bounds what all of them keep together: pools come and go, and with them their slots.
	pastSize = 64 << 20
)

// source returns that of a slot, made when first needed.
func (m *Mux) source(at place) *source {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sources[at]
	if s == nil {
		s = &source{mux: m, place: at}
		m.sources[at] = s
	}
	return s
}

func (s *source) record(id, handle int) *recorder {
	r := &recorder{source: s, id: id, handle: handle}
	s.join(r)
	return r
}

// join has a worker among those that live.
func (s *source) join(r *recorder) {
	s.mu.Lock()
	s.live = append(s.live, r)
	s.mu.Unlock()
}

// retire keeps what a worker that is gone has said, in so far as there is room.
func (s *source) retire(r *recorder) {
	s.mu.Lock()
	s.live = slices.DeleteFunc(s.live, func(l *recorder) bool { return l == r })
	if r.size.Load() > 0 {
		r.gone = time.Now()
		s.past = append(s.past, r)
		s.mux.past.Add(r.size.Load())
	}
	s.trimLocked()
	s.mu.Unlock()
	if s.mux.past.Load() > pastSize {
		s.mux.forgetPast()
	}
}

// trim lets go of the past as the living need the room: a slot keeps at most as much as two workers.
func (s *source) trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trimLocked()
}

func (s *source) trimLocked() {
	var size int64
	for _, r := range s.live {
		size += r.size.Load()
	}
	for i, r := range slices.Backward(s.past) {
		size += r.size.Load()
		if size > 2*keepSize || len(s.past)-i > pastWorkers {
			s.forgetLocked(i + 1)
			return
		}
	}
}

// forgetLocked lets go of the oldest workers.
func (s *source) forgetLocked(n int) {
	for _, r := range s.past[:n] {
		s.mux.past.Add(-r.size.Load())
	}
	s.past = slices.Delete(s.past, 0, n)
}

// forgetPast lets go of the workers that are gone for longest, and a little more than it must, so that it is not called for
// each.
func (m *Mux) forgetPast() {
	m.mu.Lock()
	all := slices.Collect(maps.Values(m.sources))
	m.mu.Unlock()
	type old struct {
		of   *source
		gone time.Time
	}
	var past []old
	for _, s := range all {
		s.mu.Lock()
		for _, r := range s.past {
			past = append(past, old{s, r.gone})
		}
		s.mu.Unlock()
	}
	slices.SortStableFunc(past, func(a, b old) int { return a.gone.Compare(b.gone) })
	for _, o := range past {
		if m.past.Load() <= pastSize*7/8 {
			return
		}
		o.of.mu.Lock()
		if len(o.of.past) > 0 && !o.of.past[0].gone.After(o.gone) { // else it is let go of already
			o.of.forgetLocked(1)
		}
		o.of.mu.Unlock()
	}
}

// recorders are all that a filter asks for.
func (m *Mux) recorders(f Filter) []*recorder {
	m.mu.Lock()
	var found []*source
	for at, s := range m.sources {
		if f.has(at) {
			found = append(found, s)
		}
	}
	m.mu.Unlock()
	var all []*recorder
	for _, s := range found {
		s.mu.Lock()
		all = append(append(all, s.past...), s.live...)
		s.mu.Unlock()
	}
	return all
}
