package logs

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"iter"
	"slices"
)

// windowSize is how many bytes of one worker are made lines of at a time. What a thousand workers have written is a hundred
// megabytes as lines, and a reader may take minutes to read them: so most of it stays where it is kept.
const windowSize = 2 << 10

// Kept yields what [Mux.Recent] returns, little by little: who takes his time loses lines, and is told how many. Lines that began
// before others of the same worker and ended behind them may come late.
func (m *Mux) Kept(f Filter) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		if f.Last > 0 {
			slices.Values(m.Recent(f))(yield)
			return
		}
		var all []*strand
		for _, r := range m.recorders(f) {
			all = append(all, &strand{cursor: oldest(r), isLast: true})
		}
		merge(all, func(l Line) bool { return !f.wants(&l) || yield(l) })
	}
}

// wants reports whether a line that is kept is asked for.
func (f Filter) wants(l *Line) bool { return !l.Time.Before(f.Since) && f.hears(l) }

// strand is what is read of one worker, as far as it had come when the reading began.
type strand struct {
	cursor *cursor
	isLast bool // nobody will read on: lines without an end are passed on
	until  uint64
	lines  []Line
}

// fill reads on, and reports whether there is another line.
func (s *strand) fill() bool {
	var text [windowSize]byte
	for s.lines = s.lines[:0]; len(s.lines) == 0; {
		rec, ok := s.cursor.recorder.window(s.cursor, s.until, text[:])
		if !ok {
			break
		}
		s.cursor.cut(rec, s.keep)
	}
	if len(s.lines) == 0 && (s.isLast || s.cursor.closed) {
		s.cursor.flush(s.keep)
	}
	inOrder(s.lines)
	return len(s.lines) > 0
}

func (s *strand) keep(l Line) { s.lines = append(s.lines, l) }

// merge yields the lines of all in the order of time. It reports whether all were taken.
func merge(all []*strand, yield func(Line) bool) bool {
	var h strands
	for _, s := range all {
		s.until = s.cursor.recorder.position()
		if s.fill() {
			h = append(h, s)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		s := h[0]
		if !yield(s.lines[0]) {
			return false
		}
		if s.lines = s.lines[1:]; len(s.lines) > 0 || s.fill() {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return true
}

// strands are a heap, by the time of their next line.
type strands []*strand

func (h strands) Len() int           { return len(h) }
func (h strands) Less(i, j int) bool { return h[i].lines[0].Time.Before(h[j].lines[0].Time) }
func (h strands) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *strands) Push(s any) { *h = append(*h, s.(*strand)) } //nolint:forcetypeassert // nobody else calls it

// Pop implements [heap.Interface].
func (h *strands) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// position is behind the newest.
func (r *recorder) position() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end
}

// window copies what comes next after a cursor into a buffer, at most as much as there is room for and of one record, and moves the
// cursor there. It reports false when the cursor has come so far.
func (r *recorder) window(c *cursor, until uint64, buf []byte) (record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.position < r.start {
		c.position, c.offset = r.start, 0
		c.skip(r.before - c.lines)
		c.lines = r.before
	}
	c.pid, c.closed = r.pid, r.closed && until == r.end
	if c.position >= until {
		return record{}, false
	}
	var head [headSize]byte
	r.copyAt(head[:], c.position)
	size := int(binary.LittleEndian.Uint32(head[8:]))
	text := buf[:min(len(buf), size-c.offset)]
	r.copyAt(text, c.position+headSize+uint64(c.offset))
	rec := record{at: int64(binary.LittleEndian.Uint64(head[:])), midline: head[16]&flagMidline != 0 && c.offset == 0, text: text}
	if head[16]&flagStderr != 0 {
		rec.stream = stderr
	}
	c.lines += uint64(bytes.Count(text, newline))
	if c.offset += len(text); c.offset == size {
		c.position, c.offset = c.position+headSize+uint64(size), 0
	}
	return rec, true
}

// copyAt copies what is kept from a position on. There must be so much.
func (r *recorder) copyAt(to []byte, position uint64) {
	n := copy(to, r.buf[r.index(position):])
	copy(to[n:], r.buf)
}
