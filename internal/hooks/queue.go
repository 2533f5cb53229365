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
	dropped int // since the last pop
	over    bool
}

func newQueue(limit int) *queue { return &queue{limit: limit, more: make(chan struct{}, 1)} }

func (q *queue) push(e events.Event) {
	q.change(func() {
		if len(q.waiting) == q.limit {
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
	for ctx.Err() == nil {
		if e, dropped, ok = q.next(); ok {
			return e, dropped, true
		}
		if q.ended() {
			return e, q.clear(), false
		}
		select {
		case <-q.more:
		case <-ctx.Done():
		}
	}
	return e, q.clear(), false
}

func (q *queue) next() (e events.Event, dropped int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
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

// clear drops everything, and says how much has been lost.
func (q *queue) clear() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped + len(q.waiting)
	q.waiting, q.dropped = nil, 0
	return n
}
