package logs

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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

// pastWorkers bounds how many workers that are gone are remembered, if each said little.
const pastWorkers = 16

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

func (s *source) record(id int) *recorder {
	r := &recorder{source: s, id: id}
	s.mu.Lock()
	s.live = append(s.live, r)
	s.mu.Unlock()
	return r
}

// retire keeps what a worker that is gone has said, in so far as there is room.
func (s *source) retire(r *recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = slices.DeleteFunc(s.live, func(l *recorder) bool { return l == r })
	if r.size.Load() > 0 {
		s.past = append(s.past, r)
	}
	s.trimLocked()
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
			s.past = slices.Delete(s.past, 0, i+1)
			return
		}
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
