package supervisor

import (
	"fmt"
	"slices"
	"time"
)

// hangWatch follows a worker that may hang.
type hangWatch struct {
	last    time.Time // when it was looked at
	stopped time.Time // since when it has been seen stopped; zero if it runs
	queues  []queueWatch
}

// queueWatch follows one accept queue of a worker. That it has not got shorter is no proof: where more connections come than
// a busy worker accepts, a queue grows or is full whenever somebody looks. So the worker must have no connection either
// that it did not have before.
type queueWatch struct {
	length int       // when it was looked at last
	least  int       // when it began not to get shorter
	since  time.Time // that was then; zero if nobody waits in it
	held   []uint64  // connections that the worker had when somebody looked closely
	still  bool      // when somebody did so again, there was no other one
}

// see takes note of a queue, and returns for how long it has not moved.
func (q *queueWatch) see(seen *queueSight, at time.Time) time.Duration {
	switch {
	case seen.Length == 0:
		*q = queueWatch{}
		return 0
	case q.since.IsZero() || seen.Length < q.length || seen.stirs || q.accepts(seen.held):
		*q = queueWatch{length: seen.Length, least: seen.Length, since: at, held: seen.held}
		return 0
	}
	q.length = seen.Length
	q.still = q.held != nil && seen.held != nil
	if seen.held != nil {
		q.held = seen.held
	}
	return at.Sub(q.since)
}

// accepts reports whether the worker has a connection that it did not have before.
func (q *queueWatch) accepts(held []uint64) bool {
	return q.held != nil && slices.ContainsFunc(held, func(c uint64) bool { return !slices.Contains(q.held, c) })
}

// isProven reports whether a queue that has not got shorter is one that nobody accepts from. Where the worker's connections
// cannot be seen, that is one in which nothing moves at all, although there is room.
func (q *queueWatch) isProven(seen *queueSight) bool {
	return q.still || seen.held == nil && q.length == q.least && q.length < seen.Backlog
}

// isSuspect reports whether the worker is to be looked at closely.
func (h *hangWatch) isSuspect(at time.Time, limit time.Duration) bool {
	return slices.ContainsFunc(h.queues, func(q queueWatch) bool { return !q.since.IsZero() && at.Sub(q.since) >= limit/2 })
}

// see takes note of a worker, and returns what is wrong with it if it has not moved for the limit. What happened while
// nobody looked, because this process did not run itself, is not held against it.
func (h *hangWatch) see(s *sight, limit, pause time.Duration) (detail string) {
	if len(h.queues) != len(s.queues) || s.at.Sub(h.last) > pause+max(pause, hangSlowest) {
		*h = hangWatch{queues: make([]queueWatch, len(s.queues))}
	}
	h.last = s.at
	if !s.stopped {
		h.stopped = time.Time{}
	} else if h.stopped.IsZero() {
		h.stopped = s.at
	}
	for i := range s.queues {
		seen, q := &s.queues[i], &h.queues[i]
		if !seen.known {
			continue
		}
		if stuck := q.see(seen, s.at); stuck >= limit && q.isProven(seen) && detail == "" {
			detail = fmt.Sprintf("the queue of %s has not got shorter for %s: %d connections wait in it, of at most %d (the process is in %s)",
				s.listeners[i].Name(), stuck.Round(time.Millisecond), seen.Length, seen.Backlog, s.doing)
		}
	}
	if still := s.at.Sub(h.stopped); s.stopped && still >= min(limit, stoppedLimit) {
		return fmt.Sprintf("the process has been stopped (state T) for %s", still.Round(time.Millisecond))
	}
	return detail
}

// seenMoving judges whether a worker hangs.
func (p *pool) seenMoving(rec *record, s *sight) {
	detail := rec.hang.see(s, rec.edition.cfg.Health.Hang, rec.pause(forHangs))
	if detail == "" {
		p.acquit(rec, byHang)
		return
	}
	p.accuse(rec, byHang, detail)
}
