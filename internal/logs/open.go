package logs

import (
	"fmt"
)

// Open makes the descriptors for one worker. The caller must Close the stream. It does no I/O on files: one that cannot
// be opened is reported, and the worker runs on.
func (m *Mux) Open(of Worker, set Settings) (*Stream, error) {
	m.gate.RLock()
	defer m.gate.RUnlock()
	s := &Stream{mux: m, stdout: m.opt.Stdout, stderr: m.opt.Stderr, set: set}
	if m.frozen {
		return nil, fmt.Errorf("cannot open output of %s: %w", of.Label(), ErrFrozen)
	}
	if set.form() == prefixed && of.Slot != NoSlot {
		m.Widen(len(of.Label())) // a pool may have grown, or have come by a reload
	}
	if err := s.open(of, set); err != nil {
		s.close()
		return nil, fmt.Errorf("cannot open output of %s: %w", of.Label(), err)
	}
	return s, nil
}

func (s *Stream) open(of Worker, set Settings) error {
	out, err := s.mux.acquire(of, set, stdout)
	if err != nil || out == nil {
		return err
	}
	source := s.mux.source(place{of.Pool, of.Slot})
	s.recorder = source.record(of.ID, s.mux.newHandle())
	s.mux.enlist(s)
	s.out = s.mux.newLane(out, s.recorder, of, set, stdout)
	into, err := s.mux.acquire(of, set, stderr)
	if err != nil {
		return err
	}
	s.err = s.mux.newLane(into, s.recorder, of, set, stderr)
	if s.stderr, err = s.err.open(); err == nil {
		s.stdout, err = s.out.open()
	}
	return err
}

func (m *Mux) newLane(to *sink, from *recorder, of Worker, set Settings, which standard) *lane {
	l := &lane{mux: m, sink: to, source: from.source, from: from, holds: set.Backpressure, read: -1, child: -1}
	l.lines.limit = maxLine
	l.look = look{form: set.form(), of: of, which: which, mux: m}
	switch {
	case set.Mode != Prefix:
	case which == stderr:
		l.look.screen = m.opt.ScreenErr
	default:
		l.look.screen = m.opt.ScreenOut
	}
	return l
}

// acquire returns where a stream goes, made when first needed; nil if it is inherited.
func (m *Mux) acquire(of Worker, set Settings, which standard) (*sink, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	switch set.Mode {
	case Inherit:
		return nil, nil
	case File:
		path := set.File.Stdout
		if which == stderr {
			path = set.File.Stderr
		}
		return m.fileLocked(of.Pool, path, &set.File), nil
	case Journald:
		return m.journalLocked(), nil
	case Tail, Prefix, JSON:
	}
	if which == stderr {
		return m.err, nil
	}
	return m.outLocked(), nil
}

// journalLocked is the queue for journald.
func (m *Mux) journalLocked() *sink {
	if m.journal == nil {
		m.journal = m.newSink(newJournald(m.opt.Journal), toJournald, m.episodeLocked("", toJournald))
	}
	return m.journal
}

// outLocked is the queue for our own stdout.
func (m *Mux) outLocked() *sink {
	switch {
	case m.out != nil:
	case sameFile(m.opt.Stdout, m.opt.Stderr):
		// One terminal behind both: one queue keeps lines whole and in order.
		m.out = m.err
	default:
		m.out = m.newSink(newStdio(m.opt.Stdout), toStdout, m.episodeLocked("", toStdout))
	}
	return m.out
}

// fileLocked is that of a path, which other workers may have. The latest settings count for all.
func (m *Mux) fileLocked(pool, path string, set *FileSettings) *sink {
	s := m.useLocked(pool, path, set)
	s.wakeUp() // it opens the file
	return s
}

func (m *Mux) useLocked(pool, path string, set *FileSettings) *sink {
	s := m.files[path]
	if s == nil {
		s = m.newSink(newFile(path, &m.janitor, m.keepingLocked(pool), m.writers), path, m.episodeLocked(pool, path))
		m.files[path] = s
	}
	s.to.(*file).set.Store(set)
	s.users++
	return s
}

// release is called when a lane writes no more.
func (m *Mux) release(s *sink) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.users--; s.users == 0 {
		s.wakeUp() // its writer dismisses it
	}
}

// dismiss closes a file that nobody writes to any more. Its writer calls it when there is nothing left.
func (m *Mux) dismiss(s *sink) {
	f, ok := s.to.(*file)
	if !ok || !m.forget(s, f.path) {
		return
	}
	f.close() // a disk may take its time: nobody waits for a lock meanwhile
	s.trouble.went(s.where)
}

// forget has the next who wants a file open it anew, unless somebody wants it now.
func (m *Mux) forget(s *sink, path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users > 0 || s.running || s.frozen || s.queued() > 0 || m.files[path] != s || m.closed {
		return false
	}
	s.gone = true
	delete(m.files, path)
	return true
}
