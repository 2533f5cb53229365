package logs

import (
	"errors"
	"fmt"
	"slices"
)

// Restore returns a Mux that goes on where another one was frozen. What that had not written yet is written first; streams are
// read as soon as they are adopted, see [Mux.Adopt] and [Mux.Settle]. It fails only by what [Handed.Check] finds.
func Restore(opt Options, h *Handed) (*Mux, error) {
	if err := h.Check(); err != nil {
		return nil, fmt.Errorf("cannot restore output: %w", err)
	}
	m := New(opt)
	m.lost.Store(h.Lost)
	m.width.Store(int64(h.Width))
	m.handle = h.LastHandle
	for i := range h.Slots {
		m.restoreSlot(h, &h.Slots[i])
	}
	for i := range h.Streams {
		m.restoreStream(h, &h.Streams[i])
	}
	for i := range h.Troubles {
		m.restoreTrouble(&h.Troubles[i])
	}
	for i := range h.Queues {
		m.restoreQueue(h, &h.Queues[i])
	}
	return m, nil
}

func (m *Mux) restoreSlot(h *Handed, slot *HandedSlot) {
	s := m.source(place{slot.Pool, slot.Slot})
	for i := range slot.Read {
		s.read[i].Store(slot.Read[i])
		s.dropped[i].Store(slot.Dropped[i])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slot.Past {
		r := s.restore(k, h.bytes(k.Records))
		r.gone, r.closed = k.Gone, true
		s.past = append(s.past, r)
		m.past.Add(r.size.Load())
	}
}

// restoreStream notes one that is to be adopted. What is kept of it can be read from now on.
func (m *Mux) restoreStream(h *Handed, s *HandedStream) {
	source := m.source(place{s.Pool, s.Slot})
	o := orphan{
		of: Worker{Pool: s.Pool, Slot: s.Slot, ID: s.Kept.WorkerID}, set: s.Settings,
		recorder: source.restore(s.Kept, h.bytes(s.Kept.Records)),
	}
	source.join(o.recorder)
	for which, l := range map[standard]*HandedLane{stdout: &s.Stdout, stderr: &s.Stderr} {
		o.lanes[which] = orphanLane{
			fd: l.FD, partial: slices.Clone(h.bytes(l.Partial)), raw: rawState(l.Raw),
			tail: tail{buf: slices.Clone(h.bytes(l.Tail)), begun: l.TailBegun},
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting[s.Kept.Handle] = o
}

func (m *Mux) restoreTrouble(t *HandedTrouble) {
	m.mu.Lock()
	e := m.findLocked(t.Key, &episode{pool: t.Pool, keeping: t.Keeping})
	m.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.say == nil {
		return
	}
	e.open, e.said, e.lost, e.told = true, t.Said, t.Lost, t.Told
	e.now = Trouble{Pool: t.Pool, Where: t.Where, Lines: t.Lines, Bytes: t.Bytes, Keeping: t.Keeping}
	if t.Err != "" {
		e.now.Err = errors.New(t.Err)
	}
	e.stuck = map[string]struct{}{}
	for _, where := range t.Stuck {
		e.stuck[where] = struct{}{}
	}
	e.resume()
}

// restoreQueue has written what was not.
func (m *Mux) restoreQueue(h *Handed, q *HandedQueue) {
	s := m.restoreSink(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := h.bytes(q.Bytes)
	for _, share := range q.Shares {
		var of *source
		if share.Slot != ownLog {
			of = m.source(place{h.Slots[share.Slot].Pool, h.Slots[share.Slot].Slot})
		}
		if s.pending == nil {
			s.pending = m.buffers.Get().(*buffer)
		}
		s.pending.fill(of, func(dst []byte) []byte { return append(dst, rest[:share.Size]...) })
		rest = rest[share.Size:]
	}
	m.queued.Add(int64(q.Bytes.Size))
	s.start()
}

// restoreSink returns where a queue goes. Nobody writes there yet.
func (m *Mux) restoreSink(q *HandedQueue) *sink {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.err
	switch q.To {
	case toFile:
		s = m.useLocked(q.File.Pool, q.File.Path, &q.File.Set)
		s.to.(*file).restore(q)
		m.restored = append(m.restored, s)
		return s
	case toJournald:
		return m.journalLocked()
	case toStdout:
		s = m.outLocked()
	}
	to := s.to.(*stdio)
	to.within, to.torn = q.Within, q.Torn
	return s
}

func (f *file) restore(q *HandedQueue) {
	f.full.second, f.full.number = q.File.Second, q.File.Number
	is, err := checkLog(q.File.FD)
	if err != nil {
		return // it is opened by its name
	}
	f.fd, f.size, f.born, f.torn = q.File.FD, is.size, q.File.Born, q.Torn
	f.janitor.tidy(f.path, &q.File.Set, f.keeping)
}
