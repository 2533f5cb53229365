package supervisor

import (
	"context"
	"sync"
)

// inquiries only ask for something, so that each can be ended at any time and begun again, with all of its time: before
// another program takes over, which knows nothing of the commands that they run.
type inquiries struct {
	crew crew

	mu     sync.Mutex
	round  context.Context //nolint:containedctx // of those that run; nil before the first one
	end    context.CancelFunc
	paused chan struct{} // closed when they may begin again; nil if they may
}

// run calls f until it has come to its end undisturbed, or ctx has ended.
func (q *inquiries) run(ctx context.Context, f func(context.Context) error) error {
	for {
		round, err := q.enter(ctx)
		if err != nil {
			return err
		}
		running, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(round, cancel)
		err = f(running)
		stop()
		cancel()
		disturbed := err != nil && round.Err() != nil && ctx.Err() == nil
		q.crew.leave()
		if !disturbed {
			return err
		}
	}
}

// enter waits until they may begin.
func (q *inquiries) enter(ctx context.Context) (round context.Context, err error) {
	for {
		q.mu.Lock()
		paused := q.paused
		if paused == nil {
			if q.round == nil {
				q.round, q.end = context.WithCancel(context.Background())
			}
			round = q.round
			q.crew.join()
		}
		q.mu.Unlock()
		if paused == nil {
			return round, nil
		}
		select {
		case <-paused:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pause ends those that are under way.
func (q *inquiries) pause() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.paused != nil {
		return
	}
	q.paused = make(chan struct{})
	if q.round != nil {
		q.end()
		q.round = nil
	}
}

// resume has them begin again.
func (q *inquiries) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.paused != nil {
		close(q.paused)
		q.paused = nil
	}
}
