package logs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// softLimit is how many bytes may wait behind what is being written before the
	// pipes of workers with back-pressure are no longer read: two full pipes, so that
	// a stuck consumer costs next to nothing, and reading and writing go on at once.
	softLimit = 128 << 10
	// hardLimit is how many may wait of workers that are never held back: a burst
	// of 30,000 lines.
	hardLimit = 4 << 20
	// reserve is what is left beyond that for our own log, and for the ends of
	// lines that have begun.
	reserve = 1 << 20
	// totalLimit bounds the queues of all destinations together, once each has a
	// full pipe.
	totalLimit = 64 << 20
	// abandonAfter is how long close waits for a writer that was told to give up.
	// It sits in poll(2), which the wake descriptor ends at once; only a write
	// that blocked although poll allowed it (another process took the room) can
	// take longer, and nothing can interrupt that.
	abandonAfter = 100 * time.Millisecond
)

// outlet is where the bytes of a sink go. Its methods are called by one goroutine at a time, and may block.
type outlet interface {
	// tend prepares for what may come, before a writer's first write.
	tend() error
	// write gets rid of a beginning of b, which is not empty and ends where a put ended. What it returns an error for is lost, unless
	// the outlet is patient.
	write(b []byte) (int, error)
	// lines is how many lines are in b.
	lines(b []byte) int
	// pause is how long to wait before a write that failed is tried again; 0 is not to.
	pause() time.Duration
	// giveUp ends a wait in write. It may be called at any time.
	giveUp()
	// goOn takes giveUp back.
	goOn()
	close()
}

// sink is one destination: a bounded queue, and while there is something in it a goroutine that writes.
type sink struct {
	mux     *Mux
	to      outlet
	where   string // what it is called when there is trouble
	trouble *episode
	users   int // lanes; of the mux's lock

	mu      sync.Mutex
	pending *buffer // nil if empty
	flying  *buffer // what is being written, nil if nothing is
	flown   int     // how much of it is
	running bool    // there is a writer
	roused  bool    // since it last looked after its outlet somebody wanted that
	retry   *time.Timer
	parked  []*lane
	frozen  bool          // no writer is started
	halted  bool          // and the one there is goes
	still   chan struct{} // closed once it has; nil if nobody waits
	closing bool
	gaveUp  bool
	gone    bool          // nobody writes any more
	ended   chan struct{} // closed once a sink that is closing has no writer
}

func (m *Mux) newSink(to outlet, where string, trouble *episode) *sink {
	return &sink{mux: m, to: to, where: where, trouble: trouble, ended: make(chan struct{})}
}

// met notes trouble; err is nil if the consumer was too slow.
func (s *sink) met(err error, lost tally) { s.trouble.met(s.where, err, lost) }

// put appends what fill appends, n being its approximate size, if no more than limit is waiting then.
func (s *sink) put(from *source, n, limit int, fill func(dst []byte) []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	queued := s.queued()
	if s.gone || s.gaveUp || queued+n > limit || queued > chunkSize && s.mux.queued.Load() > totalLimit {
		return false
	}
	if s.pending == nil {
		s.pending = s.mux.buffers.Get().(*buffer)
	}
	s.mux.queued.Add(int64(s.pending.fill(from, fill)))
	if s.pending.len() == 0 { // the beginning of a line, which waits for its end elsewhere
		s.mux.recycle(s.pending)
		s.pending = nil
		return true
	}
	s.start()
	return true
}

func (s *sink) queued() int { return s.pending.len() + s.flying.len() - s.flown }

// start has a writer, if there is none and none is to come.
func (s *sink) start() {
	if !s.running && s.retry == nil && !s.gone && !s.frozen {
		s.running, s.roused = true, false
		go s.run()
	}
}

// wakeUp has the outlet look after itself.
func (s *sink) wakeUp() {
	s.mu.Lock()
	s.roused = true
	s.start()
	s.mu.Unlock()
}

// park asks before a read: if the queue is full it notes the lane, whose resume
// is called once there is room, and returns true.
func (s *sink) park(l *lane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	queued := s.queued()
	if s.pending.len() < softLimit && (queued <= chunkSize || s.mux.queued.Load() <= totalLimit) {
		return false
	}
	s.parked = append(s.parked, l)
	return true
}

func (s *sink) run() {
	err := s.to.tend()
	if err != nil {
		s.met(err, tally{})
	}
	for {
		more, resumed := s.next()
		for _, l := range resumed {
			l.resume()
		}
		if !more {
			break
		}
		n := 0
		if err == nil {
			n, err = s.to.write(s.flying.bytes[s.flown:])
		}
		if !s.wrote(n, err) {
			return // for now
		}
		err = nil
	}
	s.mux.dismiss(s)
}

// next swaps the queue for what has been written, and lets parked lanes go on: they fill it while that is written.
func (s *sink) next() (more bool, resumed []*lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.halted {
		s.rest()
		return false, nil
	}
	if s.gaveUp && s.queued() > 0 {
		s.met(errGaveUp, s.loseAll())
	}
	if s.flying != nil && s.flown == len(s.flying.bytes) {
		s.mux.recycle(s.flying)
		s.flying, s.flown = nil, 0
	}
	if s.flying == nil {
		s.flying, s.pending = s.pending, nil
	}
	if s.pending == nil {
		resumed, s.parked = s.parked, nil
	}
	if s.flying != nil {
		return true, resumed
	}
	s.rest()
	switch {
	case s.closing:
		s.gone = true
		close(s.ended)
	case s.roused:
		s.start()
	}
	return false, resumed
}

// rest notes that the writer goes.
func (s *sink) rest() {
	s.running = false
	if s.still != nil {
		close(s.still)
		s.still = nil
	}
}

// wrote accounts for bytes that left. It returns false if the writer is to rest.
func (s *sink) wrote(n int, err error) bool {
	s.mu.Lock()
	s.flown += n
	s.mux.queued.Add(int64(-n))
	if errors.Is(err, errGaveUp) && !s.gaveUp {
		err = nil // it was told to halt: the rest is for later
	}
	pause := s.to.pause()
	rests := err != nil && pause > 0 && !s.closing
	var lost tally
	switch {
	case err == nil:
	case rests:
		s.rest()
		s.retry = time.AfterFunc(pause, s.again)
	default:
		// Refused for good (EPIPE, EIO, EBADF) or for now (ENOSPC): waiting
		// would stall the workers over a log, so the batch is given up.
		lost = s.loseFlying()
	}
	s.mu.Unlock()
	if n > 0 {
		s.trouble.went(s.where)
	}
	if err != nil {
		s.met(err, lost)
	}
	return !rests
}

// again tries what failed.
func (s *sink) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retry = nil
	s.start()
}

func (s *sink) loseFlying() tally {
	lost := s.flying.lost(s.flown, s.to.lines)
	s.mux.queued.Add(int64(s.flown - len(s.flying.bytes)))
	s.mux.lost.Add(lost.bytes)
	s.flown = len(s.flying.bytes)
	return lost
}

// loseAll is for a sink that gave up.
func (s *sink) loseAll() (sum tally) {
	for range 2 {
		if s.flying != nil {
			sum.add(s.loseFlying())
			s.mux.recycle(s.flying)
		}
		s.flying, s.pending, s.flown = s.pending, nil, 0
	}
	return sum
}

// close writes what is queued until ctx ends. Nothing may be put from here on.
func (s *sink) close(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	if s.retry != nil && s.retry.Stop() {
		s.retry = nil
	}
	s.start()
	s.mu.Unlock()
	select {
	case <-s.ended:
		s.to.close()
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.gaveUp = true
	left := s.queued()
	s.mu.Unlock()
	s.to.giveUp()
	select {
	case <-s.ended:
		s.to.close()
	case <-time.After(abandonAfter): // the descriptor stays: the writer may still use it
	}
	return fmt.Errorf("cannot write %d bytes of output: %w", left, ctx.Err())
}
