package logs

import (
	"cmp"
	"maps"
	"slices"
)

// packer writes down what a Mux that is frozen has.
type packer struct {
	h     *Handed
	slots map[*source]int // index in h.Slots
}

// hand returns everything. Nothing of it changes but what the log queues.
func (m *Mux) hand() *Handed {
	p := packer{h: &Handed{Lost: m.lost.Load(), Width: int(m.width.Load())}, slots: map[*source]int{nil: ownLog}}
	streams, sinks := m.streamsNow(), m.sinksNow()
	m.mu.Lock()
	p.h.LastHandle = m.handle
	all := slices.SortedFunc(maps.Values(m.sources), bySlot)
	m.mu.Unlock()
	p.h.Blob = make([]byte, 0, m.kept(all, streams, sinks))
	for _, s := range all {
		p.slot(s)
	}
	for _, s := range streams {
		if s.started() {
			p.stream(s)
		}
	}
	for _, s := range sinks {
		p.queue(s)
	}
	p.troubles(m)
	return p.h
}

func bySlot(a, b *source) int {
	return cmp.Or(cmp.Compare(a.place.pool, b.place.pool), cmp.Compare(a.place.slot, b.place.slot))
}

// ownLog is the slot of bytes that no worker wrote.
const ownLog = -1

// kept is how large the blob may get.
func (m *Mux) kept(sources []*source, streams []*Stream, sinks []*sink) int {
	size := len(streams) * 2 * tailSize
	for _, s := range sinks {
		s.mu.Lock()
		size += s.queued()
		s.mu.Unlock()
	}
	for _, s := range sources {
		s.mu.Lock()
		for _, r := range slices.Concat(s.past, s.live) {
			size += int(r.size.Load())
		}
		s.mu.Unlock()
	}
	return size
}

func (p *packer) add(pieces ...[]byte) Piece {
	at := len(p.h.Blob)
	for _, b := range pieces {
		p.h.Blob = append(p.h.Blob, b...)
	}
	return Piece{At: at, Size: len(p.h.Blob) - at}
}

func (p *packer) slot(s *source) {
	handed := HandedSlot{Pool: s.place.pool, Slot: s.place.slot}
	for i := range handed.Read {
		handed.Read[i], handed.Dropped[i] = s.read[i].Load(), s.dropped[i].Load()
	}
	s.mu.Lock()
	past := slices.Clone(s.past)
	s.mu.Unlock()
	for _, r := range past {
		k := p.recorder(r)
		k.Gone = r.gone // it has been closed, and changes no more
		handed.Past = append(handed.Past, k)
	}
	p.slots[s] = len(p.h.Slots)
	p.h.Slots = append(p.h.Slots, handed)
}

func (p *packer) recorder(r *recorder) HandedKept {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := HandedKept{
		Handle: r.handle, WorkerID: r.id, PID: r.pid, Start: r.start, Before: r.before, Total: r.total, Midline: r.midline,
	}
	k.Records.At = len(p.h.Blob)
	r.visit(r.start, func(b []byte) { k.Records.Size += p.add(b).Size })
	return k
}

func (p *packer) stream(s *Stream) {
	at := s.recorder.source.place
	p.h.Streams = append(p.h.Streams, HandedStream{
		Pool: at.pool, Slot: at.slot, Settings: s.set,
		Kept: p.recorder(s.recorder), Stdout: p.lane(s.out), Stderr: p.lane(s.err),
	})
}

func (p *packer) lane(l *lane) HandedLane {
	l.mu.Lock()
	defer l.mu.Unlock()
	return HandedLane{
		FD: l.read, Partial: p.add(l.lines.partial), Raw: uint8(l.raw),
		Tail: p.add(l.tail.buf[l.tail.start:], l.tail.buf[:l.tail.start]), TailBegun: l.tail.begun,
	}
}

// queue is for a sink whose writer has gone.
func (p *packer) queue(s *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := HandedQueue{To: s.where}
	switch to := s.to.(type) {
	case *stdio:
		q.Within, q.Torn = to.within, to.torn
	case *file:
		q.To, q.Torn, q.File = toFile, to.torn, to.hand()
		q.File.Pool = s.trouble.pool
	}
	q.Bytes.At = len(p.h.Blob)
	p.buffer(&q, s.flying, s.flown)
	p.buffer(&q, s.pending, 0)
	p.h.Queues = append(p.h.Queues, q)
}

// buffer adds what is behind an offset.
func (p *packer) buffer(q *HandedQueue, b *buffer, from int) {
	if b == nil {
		return
	}
	q.Bytes.Size += p.add(b.bytes[from:]).Size
	for _, s := range b.shares {
		skipped := min(from, s.n)
		from -= skipped
		q.share(p.slots[s.of], s.n-skipped)
	}
}

// share adds bytes of a slot.
func (q *HandedQueue) share(slot, size int) {
	last := len(q.Shares) - 1
	switch {
	case size == 0:
	case last >= 0 && q.Shares[last].Slot == slot:
		q.Shares[last].Size += size
	default:
		q.Shares = append(q.Shares, HandedShare{Slot: slot, Size: size})
	}
}

func (f *file) hand() *HandedFile {
	h := &HandedFile{FD: f.fd, Path: f.path, Set: *f.set.Load(), Born: f.born, Second: f.full.second, Number: f.full.number}
	if f.reopen.Load() {
		h.FD = -1
	}
	return h
}

func (p *packer) troubles(m *Mux) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m.episodes)) {
		if t, open := m.episodes[key].hand(); open {
			t.Key = key
			p.h.Troubles = append(p.h.Troubles, t)
		}
	}
}

func (e *episode) hand() (HandedTrouble, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := HandedTrouble{
		Pool: e.pool, Keeping: e.keeping, Where: e.now.Where, Lines: e.now.Lines, Bytes: e.now.Bytes,
		Stuck: slices.Sorted(maps.Keys(e.stuck)), Said: e.said, Lost: e.lost, Told: e.told,
	}
	if e.now.Err != nil {
		t.Err = e.now.Err.Error()
	}
	return t, e.open
}
