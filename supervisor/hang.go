package supervisor

import (
	"fmt"
	"time"
)

// hangWatch follows a worker that may hang.
type hangWatch struct {
	last    time.Time // when it was looked at
	stopped time.Time // since when it has been seen stopped; zero if it runs
	queues  []queueWatch
}

// queueWatch follows one accept queue of a worker.
type queueWatch struct {
	length int       // when it was looked at last
	since  time.Time // since when it has not got shorter; zero if nobody waits in it
}

// see takes note of a queue, and returns for how long it has not got shorter.
func (q *queueWatch) see(length int, at time.Time) time.Duration {
	switch {
	case length == 0:
		q.since = time.Time{}
	case q.since.IsZero() || length < q.length:
		q.since = at
	}
	q.length = length
	if q.since.IsZero() {
		return 0
	}
	return at.Sub(q.since)
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
	for i, seen := range s.queues {
		if !seen.known {
			continue
		}
		if stuck := h.queues[i].see(seen.Length, s.at); stuck >= limit && detail == "" {
			detail = fmt.Sprintf("hang: the queue of %s has not got shorter for %s: %d connections wait in it, of at most %d",
				s.listeners[i].Name(), stuck.Round(time.Millisecond), seen.Length, seen.Backlog)
		}
	}
	if still := s.at.Sub(h.stopped); s.stopped && still >= min(limit, stoppedLimit) {
		return fmt.Sprintf("hang: the process has been stopped (state T) for %s", still.Round(time.Millisecond))
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
