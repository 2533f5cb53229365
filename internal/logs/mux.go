package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

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
	// ScreenOut and ScreenErr say of each what people see on it, in mode Prefix.
	ScreenOut, ScreenErr Screen
	Journal              string // the socket of journald, if it is another than JournalSocket
	// Report is told when output is lost, from a goroutine of its own. Nil tells nobody.
	Report func(Trouble)
}

// chunkSize is what one read takes: the default capacity of a pipe, see pipe(7),
// so that a read never ends within a write of up to PIPE_BUF bytes.
const chunkSize = 64 << 10

// mostWriters is how many log files are written to at once. More would only be more threads that wait for one disk.
const mostWriters = 8

// ErrClosed is returned by Open after Close.
var ErrClosed = errors.New("output is closed")

// Mux collects the output of all workers.
type Mux struct {
	opt     Options
	err     *sink
	janitor janitor
	writers chan struct{}
	chunks  sync.Pool     // of *[chunkSize]byte: shared by all pipes, freed when idle
	buffers sync.Pool     // of *buffer: shared by all sinks
	queued  atomic.Int64  // bytes in all sinks
	lost    atomic.Uint64 // bytes
	past    atomic.Int64  // bytes that are kept of workers that are gone
	width   atomic.Int64  // see Widen

	readers atomic.Pointer[[]*reader] // nil if nobody follows
	done    chan struct{}             // closed by Close

	gate    sync.RWMutex // held by who opens or closes streams; the lock order is gate, lane, mu
	frozen  bool         // between Freeze and Thaw; of gate
	closing []*Stream    // by Thaw; of mu

	mu       sync.Mutex
	out      *sink // nil until the first stream that needs it; may be err
	journal  *sink // the same
	files    map[string]*sink
	sources  map[place]*source
	episodes map[string]*episode
	handle   int // of the youngest stream
	streams  map[int]*Stream
	waiting  map[int]orphan // streams that are to be adopted
	restored []*sink        // files that Settle lets go of
	closed   bool
}

// New returns a Mux that writes to the given descriptors. The caller must Close
// it after all its streams.
func New(opt Options) *Mux {
	if opt.Journal == "" {
		opt.Journal = JournalSocket
	}
	m := &Mux{
		opt: opt, writers: make(chan struct{}, mostWriters), done: make(chan struct{}),
		files: map[string]*sink{}, sources: map[place]*source{}, episodes: map[string]*episode{},
		streams: map[int]*Stream{}, waiting: map[int]orphan{},
	}
	m.chunks.New = func() any { return new([chunkSize]byte) }
	m.buffers.New = func() any { return new(buffer) }
	m.err = m.newSink(newStdio(opt.Stderr), toStderr, m.episodeLocked("", toStderr))
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

// Log returns a writer for the supervisor's own log. Each Write is queued as a
// whole behind what workers have written to stderr, never blocks and never
// fails: if a reader has left too much waiting it is dropped and counted. There
// is room for it that workers do not get.
func (m *Mux) Log() io.Writer { return logWriter{m.err} }

type logWriter struct{ sink *sink }

// Write implements [io.Writer].
func (w logWriter) Write(p []byte) (int, error) {
	if !w.sink.put(nil, len(p), hardLimit+reserve, func(dst []byte) []byte { return append(dst, p...) }) {
		n := uint64(len(p))
		w.sink.mux.lost.Add(n)
		w.sink.met(nil, tally{lines: uint64(bytes.Count(p, newline)), bytes: n, own: n})
	}
	return len(p), nil
}

// Reopen has log files opened by their names again: those that somebody has renamed are left, and begun anew. It returns
// how many there are, and does not wait.
func (m *Mux) Reopen() int {
	m.mu.Lock()
	files := slices.Collect(maps.Values(m.files))
	m.mu.Unlock()
	for _, s := range files {
		s.to.(*file).reopen.Store(true)
		s.wakeUp()
	}
	return len(files)
}

// Lost returns how many bytes were dropped since New because their destination
// refused them or because they did not fit behind a slow consumer.
func (m *Mux) Lost() uint64 { return m.lost.Load() }

// Close writes what is queued, until ctx ends, and stops the writers; what was lost is reported before our own log is
// closed. Streams that are still open lose what they write from here on.
func (m *Mux) Close(ctx context.Context) error {
	m.Thaw()
	sinks, episodes := m.shut()
	errs := make([]error, len(sinks))
	var all sync.WaitGroup
	for i, s := range sinks { // at once: one that is stuck must not take the time of the others
		all.Go(func() { errs[i] = s.close(ctx) })
	}
	all.Wait()
	for _, e := range episodes {
		e.close()
	}
	if ctx.Err() != nil {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(context.WithoutCancel(ctx), abandonAfter) // for what was just said
		defer done()
	}
	err := errors.Join(append(errs, m.err.close(ctx))...)
	m.janitor.close()
	return err
}

// shut has nothing opened any more, and returns all destinations but our own log.
func (m *Mux) shut() ([]*sink, []*episode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		close(m.done)
	}
	all := slices.Collect(maps.Values(m.files))
	for _, s := range []*sink{m.journal, m.out} {
		if s != nil && s != m.err {
			all = append(all, s)
		}
	}
	return all, slices.Collect(maps.Values(m.episodes))
}
