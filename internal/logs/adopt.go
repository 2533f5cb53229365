package logs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

var (
	// ErrNotHanded is returned by Adopt for a stream that was not handed on, or has been adopted.
	ErrNotHanded = errors.New("no such stream was handed on")
	errOther     = errors.New("it is another worker's")
)

// orphan is a stream that is to be adopted.
type orphan struct {
	of       Worker
	set      Settings
	recorder *recorder
	lanes    [2]orphanLane // by stream
}

// orphanLane is one pipe.
type orphanLane struct {
	fd      int
	partial []byte
	tail    tail
	raw     rawState
}

// Adopt returns the stream of a worker that runs on, by its handle; 0 is for one that inherits our descriptors. It goes on as it
// was opened. The caller must Close it. If it fails because a descriptor is not what was handed on, that one is left alone,
// and what is kept of the worker is as if it were gone.
func (m *Mux) Adopt(handle int, of Worker) (*Stream, error) {
	if handle == 0 {
		return &Stream{mux: m, stdout: m.opt.Stdout, stderr: m.opt.Stderr}, nil
	}
	s, err := m.adopt(handle, &of)
	if err != nil {
		return nil, fmt.Errorf("cannot adopt output of %s: %w", of.Label(), err)
	}
	return s, nil
}

// Settle closes the streams that nobody has adopted: what their workers have written is taken. Call it once, when all are
// adopted that run on.
func (m *Mux) Settle() {
	m.mu.Lock()
	left := slices.Sorted(maps.Keys(m.waiting))
	files := m.restored
	m.restored = nil
	m.mu.Unlock()
	for _, handle := range left {
		if s, err := m.adopt(handle, nil); err == nil {
			s.Close()
		}
	}
	for _, f := range files {
		m.release(f)
	}
}

// adopt has a stream read; whose it should be is nil if it may be anybody's.
func (m *Mux) adopt(handle int, of *Worker) (*Stream, error) {
	m.gate.RLock()
	defer m.gate.RUnlock()
	if m.frozen {
		return nil, ErrFrozen
	}
	o, err := m.take(handle, of)
	if err != nil {
		return nil, err
	}
	s := &Stream{mux: m, stdout: -1, stderr: -1, recorder: o.recorder, set: o.set}
	m.enlist(s)
	if err := s.resume(&o); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// take has a stream wait no more.
func (m *Mux) take(handle int, of *Worker) (orphan, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.waiting[handle]
	switch {
	case m.closed:
		return o, ErrClosed
	case !ok:
		return o, ErrNotHanded
	case of != nil && o.of != *of:
		return o, fmt.Errorf("%w: of %s, with the id %d", errOther, o.of.Label(), o.of.ID)
	}
	delete(m.waiting, handle)
	return o, nil
}

// resume does what [Stream.open] does, with the pipes that are there.
func (s *Stream) resume(o *orphan) error {
	if err := errors.Join(checkPipe(o.lanes[stdout].fd), checkPipe(o.lanes[stderr].fd)); err != nil {
		return err
	}
	var err error
	if s.out, err = s.adoptLane(o, stdout); err != nil {
		return err
	}
	if s.err, err = s.adoptLane(o, stderr); err != nil {
		return err
	}
	return errors.Join(s.out.listen(), s.err.listen())
}

func (s *Stream) adoptLane(o *orphan, which standard) (*lane, error) {
	to, err := s.mux.acquire(o.of, o.set, which)
	if err != nil {
		return nil, err
	}
	l := s.mux.newLane(to, o.recorder, o.of, o.set, which)
	from := &o.lanes[which]
	l.read, l.tail, l.raw, l.lines.partial = from.fd, from.tail, from.raw, from.partial
	l.look.pid = o.recorder.pid
	return l, nil
}

func (l *lane) listen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read < 0 {
		return nil
	}
	if err := l.mux.opt.Poller.Add(l.read, l.ready); err != nil {
		return err
	}
	l.watched = true
	return nil
}

func (m *Mux) newHandle() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handle++
	return m.handle
}

func (m *Mux) enlist(s *Stream) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.streams[s.recorder.handle] = s
}

func (m *Mux) strike(s *Stream) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.streams, s.Handle())
}
