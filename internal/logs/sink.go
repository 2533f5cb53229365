package logs

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// softLimit is how many bytes may wait for a slow consumer before the pipes
	// that feed it are no longer read: four full pipes, so that a burst does not
	// stall and a stuck consumer costs next to nothing.
	softLimit = 256 << 10
	// hardLimit bounds what may be queued by those that cannot be paused: our own
	// log, and the last words of workers that are gone.
	hardLimit = 4 << 20
	// pieceSize is PIPE_BUF: poll(2) says "writable" when a pipe has room for so
	// much, so a write of at most this does not block, and is atomic.
	pieceSize = 4096
	// keepBuffer is what a sink holds on to between bursts.
	keepBuffer = 16 << 10
	// abandonAfter is how long close waits for a writer that was told to give up.
	// It sits in poll(2), which the wake descriptor ends at once; only a write
	// that blocked although poll allowed it (another process took the room) can
	// take longer, and nothing can interrupt that.
	abandonAfter = 100 * time.Millisecond
)

// sink is one destination: a bounded queue and the goroutine that writes it.
type sink struct {
	fd   int
	wake int // eventfd that ends a wait in poll(2); -1 if there was none to be had

	mu      sync.Mutex
	more    sync.Cond
	pending []byte
	flying  int // bytes taken off the queue and not yet written
	parked  []*lane
	lost    uint64
	closing bool
	gaveUp  bool

	ended chan struct{}
}

func newSink(fd int) *sink {
	s := &sink{fd: fd, wake: newWake(), ended: make(chan struct{})}
	s.more.L = &s.mu
	go s.run()
	return s
}

// put appends what fill appends, n being its approximate size. Above the hard
// limit the bytes are dropped and counted.
func (s *sink) put(n int, fill func(dst []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gaveUp || len(s.pending)+s.flying+n > hardLimit {
		s.lost += uint64(n)
		return
	}
	s.pending = fill(s.pending)
	s.more.Signal()
}

// park asks before a read: if the queue is full it notes the lane, whose resume
// is called once there is room, and returns true.
func (s *sink) park(l *lane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending)+s.flying < softLimit {
		return false
	}
	s.parked = append(s.parked, l)
	return true
}

func (s *sink) lostBytes() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *sink) run() {
	defer close(s.ended)
	var spare []byte
	for {
		batch, ok := s.next(spare)
		if !ok {
			return
		}
		s.write(batch)
		if spare = batch[:0]; cap(spare) > keepBuffer {
			spare = nil
		}
	}
}

// next waits for bytes and swaps the queue for the spare buffer.
func (s *sink) next(spare []byte) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) == 0 && !s.closing {
		s.more.Wait()
	}
	if len(s.pending) == 0 || s.gaveUp {
		return nil, false
	}
	batch := s.pending
	s.pending, s.flying = spare, len(batch)
	return batch, true
}

// write gets rid of the batch, one way or the other.
func (s *sink) write(batch []byte) {
	for len(batch) > 0 {
		n, err := writeWhenReady(s.fd, s.wake, cut(batch))
		if err != nil {
			// Refused for good (EPIPE, EIO, EBADF) or for now (ENOSPC): waiting
			// would stall the workers over a log, so the batch is given up.
			s.written(0, len(batch))
			return
		}
		batch = batch[n:]
		s.written(n, 0)
	}
}

// written accounts for bytes that left and lets parked lanes go on.
func (s *sink) written(n, lost int) {
	s.mu.Lock()
	s.flying -= n + lost
	s.lost += uint64(lost)
	var resumed []*lane
	if len(s.pending)+s.flying < softLimit/2 {
		resumed, s.parked = s.parked, nil
	}
	s.mu.Unlock()
	for _, l := range resumed {
		l.resume()
	}
}

// close writes what is queued until ctx ends.
func (s *sink) close(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	s.more.Signal()
	s.mu.Unlock()
	select {
	case <-s.ended:
		closeFD(s.wake)
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.gaveUp = true
	left := len(s.pending) + s.flying
	s.mu.Unlock()
	wakeUp(s.wake)
	select {
	case <-s.ended:
		closeFD(s.wake)
	case <-time.After(abandonAfter): // the descriptor stays: the writer may still use it
	}
	return fmt.Errorf("cannot write %d bytes of output: %w", left, ctx.Err())
}

// cut returns the longest beginning of b that fits one write, whole lines if
// there are any.
func cut(b []byte) []byte {
	if len(b) <= pieceSize {
		return b
	}
	if i := bytes.LastIndexByte(b[:pieceSize], '\n'); i >= 0 {
		return b[:i+1]
	}
	return b[:pieceSize]
}
