package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Mode says what happens to the output of a worker.
type Mode uint8

const (
	// Tail is for everything but terminals: both streams pass through pipes byte
	// for byte.
	Tail Mode = iota
	// Prefix is for terminals: both streams pass through pipes and come out as
	// whole lines that begin with the worker's label.
	Prefix
	// Inherit hands our own stdout and stderr to the worker. Nothing is kept for
	// those who read, see [Mux.Recent], nor for a note about its death.
	Inherit
)

// String returns the name of the mode in lower case.
func (m Mode) String() string {
	switch m {
	case Tail:
		return "tail"
	case Prefix:
		return "prefix"
	case Inherit:
		return "inherit"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// Poller calls back on one goroutine when a descriptor is readable; it is what
// internal/poll offers. Add and Remove must not wait for running callbacks.
type Poller interface {
	Add(fd int, ready func()) error
	Remove(fd int) error
}

// Options configure a Mux.
type Options struct {
	Poller Poller // not needed if all streams are opened in Inherit mode
	// Stdout and Stderr are the raw descriptors to write to, usually 1 and 2.
	// They stay the caller's.
	Stdout, Stderr int
	Colour         bool // Prefix only
}

// chunkSize is what one read takes: the default capacity of a pipe, see pipe(7),
// so that a read never ends within a write of up to PIPE_BUF bytes.
const chunkSize = 64 << 10

// ErrClosed is returned by Open after Close.
var ErrClosed = errors.New("output is closed")

// Mux collects the output of all workers.
type Mux struct {
	opt    Options
	err    *sink
	chunks sync.Pool    // of *[chunkSize]byte: shared by all pipes, freed when idle
	width  atomic.Int64 // see Widen

	readers atomic.Pointer[[]*reader] // nil if nobody follows
	done    chan struct{}             // closed by Close

	mu      sync.Mutex
	out     *sink // nil until the first stream that needs it; may be err
	sources map[place]*source
	closed  bool
}

// New returns a Mux that writes to the given descriptors. The caller must Close
// it after all its streams.
func New(opt Options) *Mux {
	m := &Mux{opt: opt, err: newSink(opt.Stderr), sources: map[place]*source{}, done: make(chan struct{})}
	m.chunks.New = func() any { return new([chunkSize]byte) }
	return m
}

// Widen has labels that are shorter padded to so many columns, so that the lines
// of all workers begin at the same one; also those of streams that are open. It
// never makes them narrower, so every pool may ask for what it needs.
func (m *Mux) Widen(columns int) {
	for {
		now := m.width.Load()
		if int64(columns) <= now || m.width.CompareAndSwap(now, int64(columns)) {
			return
		}
	}
}

// Open makes the descriptors for one worker. The caller must Close the stream.
func (m *Mux) Open(of Worker, mode Mode) (*Stream, error) {
	out, closed := m.stdout()
	if closed {
		return nil, fmt.Errorf("cannot open output of %s: %w", of.Label(), ErrClosed)
	}
	s := &Stream{stdout: m.opt.Stdout, stderr: m.opt.Stderr}
	if mode == Inherit {
		return s, nil
	}
	s.recorder = m.source(place{of.Pool, of.Slot}).record(of.ID)
	label := ""
	if mode == Prefix {
		label = of.Label()
	}
	s.err, s.out = newLane(m.err, s.recorder, stderr, label), newLane(out, s.recorder, stdout, label)
	var err error
	if s.stderr, err = s.err.open(); err == nil {
		s.stdout, err = s.out.open()
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("cannot open output of %s: %w", of.Label(), err)
	}
	return s, nil
}

// stdout is the queue for our own stdout, made when first needed.
func (m *Mux) stdout() (out *sink, closed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, true
	case m.out != nil:
	case sameFile(m.opt.Stdout, m.opt.Stderr):
		// One terminal behind both: one queue keeps lines whole and in order.
		m.out = m.err
	default:
		m.out = newSink(m.opt.Stdout)
	}
	return m.out, false
}

// Log returns a writer for the supervisor's own log. Each Write is queued as a
// whole behind what workers have written to stderr, never blocks and never
// fails: with [hardLimit] bytes waiting it is dropped and counted.
func (m *Mux) Log() io.Writer { return logWriter{m.err} }

// Lost returns how many bytes were dropped since New because our stdout or
// stderr refused them or because they did not fit behind a blocked consumer.
func (m *Mux) Lost() uint64 {
	m.mu.Lock()
	out := m.out
	m.mu.Unlock()
	lost := m.err.lostBytes()
	if out != nil && out != m.err {
		lost += out.lostBytes()
	}
	return lost
}

// Close writes what is queued, until ctx ends, and stops the writers. Streams
// that are still open lose what they write from here on.
func (m *Mux) Close(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.done)
	}
	out := m.out
	m.mu.Unlock()
	err := m.err.close(ctx)
	if out != nil && out != m.err {
		err = errors.Join(err, out.close(ctx))
	}
	return err
}

type logWriter struct{ sink *sink }

// Write implements [io.Writer].
func (w logWriter) Write(p []byte) (int, error) {
	w.sink.put(len(p), func(dst []byte) []byte { return append(dst, p...) })
	return len(p), nil
}
