package logs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// haltTime is how long Freeze waits for a write that nothing can end, such as one to a disk that is busy.
const haltTime = time.Second

// ErrFrozen is returned by Open and Freeze between Freeze and Thaw.
var ErrFrozen = errors.New("output is frozen")

// Freeze stops all reading and writing, so that another program may go on where this one was. What is queued is written
// before, until ctx ends; the rest is in what it returns. It fails if a write does not end, because a program cannot be
// replaced within one: then everything goes on. No worker may be about to be started: the pipes of one that has not been
// are not handed on.
//
// What is written to [Mux.Log] later is queued: after [Mux.Thaw] it is written, the next program does not get it. A stream that
// is closed later is closed by Thaw, and handed on.
func (m *Mux) Freeze(ctx context.Context) (*Handed, error) {
	if err := m.shutGate(); err != nil {
		return nil, fmt.Errorf("cannot freeze output: %w", err)
	}
	for _, s := range m.streamsNow() {
		s.each((*lane).freeze)
	}
	if err := m.freezeSinks(ctx); err != nil {
		m.Thaw()
		return nil, fmt.Errorf("cannot freeze output: %w", err)
	}
	for _, e := range m.episodesNow() {
		e.freeze()
	}
	return m.hand(), nil
}

// shutGate waits for those who are opening streams, which does not take long, and has nobody open another one.
func (m *Mux) shutGate() error {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return ErrClosed
	case m.frozen:
		return ErrFrozen
	}
	m.frozen = true
	return nil
}

func (m *Mux) freezeSinks(ctx context.Context) error {
	sinks := m.sinksNow()
	errs := make([]error, len(sinks))
	var all sync.WaitGroup
	for i, s := range sinks {
		all.Go(func() { errs[i] = s.freeze(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Thaw goes on as if there had been no [Mux.Freeze], because no other program came. Descriptors that were marked as inherited
// are the caller's to unmark.
func (m *Mux) Thaw() {
	m.gate.Lock()
	defer m.gate.Unlock()
	if !m.frozen {
		return
	}
	for _, e := range m.episodesNow() {
		e.thaw()
	}
	for _, s := range m.sinksNow() {
		s.thaw()
	}
	for _, s := range m.streamsNow() {
		s.each((*lane).thaw)
	}
	m.frozen = false
	for _, s := range m.closing {
		s.close()
	}
	m.closing = nil
}

// streamsNow are all that are open, by age.
func (m *Mux) streamsNow() []*Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*Stream, 0, len(m.streams))
	for _, handle := range slices.Sorted(maps.Keys(m.streams)) {
		all = append(all, m.streams[handle])
	}
	return all
}

// sinksNow are all destinations, our own log last.
func (m *Mux) sinksNow() []*sink {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*sink
	for _, path := range slices.Sorted(maps.Keys(m.files)) {
		all = append(all, m.files[path])
	}
	if m.journal != nil {
		all = append(all, m.journal)
	}
	if m.out != nil && m.out != m.err {
		all = append(all, m.out)
	}
	return append(all, m.err)
}

func (m *Mux) episodesNow() []*episode {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.episodes))
}

func (l *lane) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = true
	l.unwatch()
}

func (l *lane) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = false
	l.watch()
}

// freeze has the writer go when the queue is empty, when there is an error, and when ctx ends.
func (s *sink) freeze(ctx context.Context) error {
	s.mu.Lock()
	s.frozen = true
	if s.retry != nil && s.retry.Stop() {
		s.retry = nil
	}
	if !s.running {
		s.mu.Unlock()
		return nil
	}
	still := make(chan struct{})
	s.still = still
	s.mu.Unlock()
	select {
	case <-still:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.halted = true
	s.mu.Unlock()
	s.to.giveUp()
	select {
	case <-still:
		return nil
	case <-time.After(haltTime):
		return fmt.Errorf("%s is within a write that does not end", s.where)
	}
}

func (s *sink) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to.goOn()
	s.frozen, s.halted, s.still, s.parked = false, false, nil, nil // those that were parked ask again
	s.start()
}

// freeze keeps silent, once what is being said has been said.
func (e *episode) freeze() {
	e.mu.Lock()
	e.frozen = true
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.mu.Unlock()
	e.saying.Wait()
}

func (e *episode) thaw() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.frozen {
		return
	}
	e.frozen = false
	e.resume()
}

// resume looks whether there is something to say, as before.
func (e *episode) resume() {
	switch {
	case !e.open:
	case e.said.IsZero():
		e.lookIn(sayAfter)
	case e.active || e.lost > e.told || len(e.stuck) == 0:
		e.lookIn(calm)
	}
}
