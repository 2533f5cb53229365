package hooks

import (
	"context"
	"sync"

	"github.com/broodctl/brood/supervisor/events"
)

// queue holds what waits for one hook, and drops the oldest when there is too much.
type queue struct {
	limit int
	more  chan struct{} // has something when there may be news

	mu      sync.Mutex
	waiting []events.Event
	busy    bool // somebody has one in hand, that was the first
	dropped int  // since the last pop
	over    bool
}

func newQueue(limit int) *queue { return &queue{limit: limit, more: make(chan struct{}, 1)} }

func (q *queue) push(e events.Event) {
	q.change(func() {
		room := q.limit
		if !q.busy {
			room++ // the first will be in hand any moment
		}
		if len(q.waiting) >= room {
			q.waiting = q.waiting[1:] // append moves the others when there is no room behind them, which is seldom
			q.dropped++
		}
		q.waiting = append(q.waiting, e)
	})
}

// skip counts events that were lost before they came here.
func (q *queue) skip(n int) { q.change(func() { q.dropped += n }) }

// close says that nothing follows.
func (q *queue) close() { q.change(func() { q.over = true }) }

func (q *queue) change(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// pop waits for the next event, and says how many were dropped since the last call. It reports false when nothing follows
// or the context ends.
func (q *queue) pop(ctx context.Context) (e events.Event, dropped int, ok bool) {
	for ctx.Err() == nil && !q.ended() {
		if e, dropped, ok = q.next(); ok {
			return e, dropped, true
		}
		select {
		case <-q.more:
		case <-ctx.Done():
		}
	}
	return e, 0, false
}

func (q *queue) next() (e events.Event, dropped int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; !q.busy {
		return e, 0, false
	}
	e, q.waiting = q.waiting[0], q.waiting[1:]
	dropped, q.dropped = q.dropped, 0
	return e, dropped, true
}

func (q *queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.over && len(q.waiting) == 0
}

// first is the number of the event that waits longest, 0 if there is none.
func (q *queue) first() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return 0
	}
	return q.waiting[0].ID
}

// lost is how many were dropped since the last call of pop or of this.
func (q *queue) lost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped
	q.dropped = 0
	return n
}

// clear drops everything, and says how much has been lost.
func (q *queue) clear() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped + len(q.waiting)
	q.waiting, q.dropped = nil, 0
	return n
}
