package logs

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// reader is somebody who follows. It is told which workers have written, and fetches when it has time: nobody waits
// for it.
type reader struct {
	filter  Filter
	news    chan struct{}
	cursors map[*recorder]*cursor // of the goroutine that reads
	scratch []byte

	mu    sync.Mutex
	dirty map[*recorder]struct{}
}

// Follow yields the lines that are kept, as [Mux.Recent], and then each as it comes, until ctx or the Mux ends. A reader
// that is slower than a worker writes 64 KiB loses lines and is told how many, see [Line.Missed]; it holds up neither
// the worker nor other readers.
func (m *Mux) Follow(ctx context.Context, f Filter) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		r := &reader{filter: f, news: make(chan struct{}, 1), cursors: map[*recorder]*cursor{}, dirty: map[*recorder]struct{}{}}
		m.join(r)
		defer m.leave(r)
		if !r.begin(m.recorders(f), yield) {
			return
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-m.done:
				return
			case <-r.news:
				if !r.pass(r.fresh(), func(l Line) bool { return !f.hears(&l) || yield(l) }) {
					return
				}
			}
		}
	}
}

// begin passes on what is kept, and notes how far. It reports whether to go on, as all that follow.
func (r *reader) begin(all []*recorder, yield func(Line) bool) bool {
	var strands []*strand
	var lines []Line
	for _, rec := range all {
		r.cursors[rec] = oldest(rec)
		if r.filter.Last == 0 {
			strands = append(strands, &strand{cursor: r.cursors[rec]})
		} else if lines = r.read(rec, lines); len(lines) > r.filter.few() {
			lines = r.filter.newest(lines)
		}
	}
	for _, l := range r.filter.newest(lines) {
		if !yield(l) {
			return false
		}
	}
	return r.pass(strands, func(l Line) bool { return !r.filter.wants(&l) || yield(l) })
}

// pass passes on what there is to read, and forgets those that will say no more.
func (r *reader) pass(strands []*strand, yield func(Line) bool) bool {
	if !merge(strands, yield) {
		return false
	}
	for _, s := range strands {
		r.forgetClosed(s.cursor)
	}
	return true
}

// fresh are those that have said something since.
func (r *reader) fresh() []*strand {
	r.mu.Lock()
	dirty := r.dirty
	r.dirty = map[*recorder]struct{}{}
	r.mu.Unlock()
	var all []*strand
	for rec := range dirty {
		if r.cursors[rec] == nil {
			r.cursors[rec] = &cursor{recorder: rec} // it began after the reader
		}
		all = append(all, &strand{cursor: r.cursors[rec]})
	}
	return all
}

func (r *reader) read(rec *recorder, lines []Line) []Line {
	c := r.cursors[rec]
	r.scratch = c.read(r.scratch[:0], func(l Line) { lines = append(lines, l) })
	r.forgetClosed(c)
	return lines
}

// forgetClosed is for one that was read to its end. It tells nobody any more; what it has told before must not have it read again
// from its beginning.
func (r *reader) forgetClosed(c *cursor) {
	if !c.closed {
		return
	}
	delete(r.cursors, c.recorder)
	r.mu.Lock()
	delete(r.dirty, c.recorder)
	r.mu.Unlock()
}

// tell lets the readers know that there is something to read. The caller holds the recorder's lock.
func (m *Mux) tell(rec *recorder) {
	all := m.readers.Load()
	if all == nil {
		return
	}
	for _, r := range *all {
		if !r.filter.has(rec.source.place) {
			continue
		}
		r.mu.Lock()
		r.dirty[rec] = struct{}{}
		r.mu.Unlock()
		select {
		case r.news <- struct{}{}:
		default: // it knows
		}
	}
}

func (m *Mux) join(r *reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setReaders(append(m.readersNow(), r))
}

func (m *Mux) leave(r *reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setReaders(slices.DeleteFunc(m.readersNow(), func(o *reader) bool { return o == r }))
}

// readersNow is a copy.
func (m *Mux) readersNow() []*reader {
	if all := m.readers.Load(); all != nil {
		return slices.Clone(*all)
	}
	return nil
}

func (m *Mux) setReaders(all []*reader) {
	if len(all) == 0 {
		m.readers.Store(nil)
		return
	}
	m.readers.Store(&all)
}
