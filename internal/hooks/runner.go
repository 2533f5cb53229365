package hooks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/broodctl/brood/supervisor/events"
)

// ErrRefused is in the chain of errors of deliveries that are not tried again.
var ErrRefused = errors.New("refused")

// The pauses between attempts: the first one, which doubles, and the longest.
const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// Options say what a Runner works with.
type Options struct {
	Feed  *events.Feed
	Hooks []Hook
	Name  string // of the supervisor
	Host  string // its machine
	Start string // when it did, as in the ids of the API's stream of events
	// Report says that events were dropped for good, and why. It may be called from any goroutine, and must not block.
	Report func(hook string, dropped int, err error)
}

// Runner tells hooks of events until Close. Make one with Start.
type Runner struct {
	opt     Options
	ctx     context.Context //nolint:containedctx // ends all that is under way
	cancel  context.CancelFunc
	readers sync.WaitGroup
	senders sync.WaitGroup
	quit    chan struct{} // closed when no further events are to be read
}

// Start begins with the next event.
func Start(opt Options) *Runner {
	r := &Runner{opt: opt, quit: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	last := opt.Feed.Last()
	for i := range opt.Hooks {
		h := &opt.Hooks[i]
		q := newQueue(max(1, h.Queue))
		r.readers.Go(func() {
			defer q.close()
			r.read(h, q, last)
		})
		r.senders.Go(func() { r.send(h, q) })
	}
	return r
}

// Close reads what is in the feed, and waits until it has been delivered or the context ends. Then it gives up what is left.
func (r *Runner) Close(ctx context.Context) {
	close(r.quit)
	done := make(chan struct{})
	go func() {
		r.readers.Wait()
		r.senders.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	r.cancel()
	<-done
}

// read moves the events of a hook from the feed to its queue.
func (r *Runner) read(h *Hook, q *queue, last uint64) {
	for ending := false; ; {
		all, missed := r.opt.Feed.Since(last)
		last += missed
		if missed > 0 {
			q.skip(int(missed)) // some of them may have been for this hook
		}
		for _, e := range all {
			if last = e.ID; h.matches(e) {
				q.push(e)
			}
		}
		if ending {
			return
		}
		select {
		case <-r.opt.Feed.Changed(last):
		case <-r.quit:
			ending = true // what came last is read too
		}
	}
}

// send delivers what is in the queue, one after the other.
func (r *Runner) send(h *Hook, q *queue) {
	missed := 0 // and the hook does not know it
	for {
		e, dropped, ok := q.pop(r.ctx)
		if dropped > 0 {
			missed += dropped
			r.opt.Report(h.Name, dropped, r.whyDropped())
		}
		if !ok {
			return
		}
		if err := r.deliver(h, r.message(e, missed)); err != nil {
			missed++
			r.opt.Report(h.Name, 1, err)
			continue
		}
		missed = 0
	}
}

func (r *Runner) message(e events.Event, missed int) Message {
	return Message{Name: r.opt.Name, Host: r.opt.Host, Key: r.opt.Start + "-" + strconv.FormatUint(e.ID, 10), Missed: missed, Event: e}
}

func (r *Runner) whyDropped() error {
	if r.ctx.Err() != nil {
		return errEnd
	}
	return errTooSlow
}

var (
	errTooSlow = errors.New("more events came than could be delivered")
	errEnd     = errors.New("the supervisor ended before they could be delivered")
)

// deliver tries until it is done, refused, or tried often enough.
func (r *Runner) deliver(h *Hook, m Message) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(r.ctx, h.Timeout)
		err := h.Deliver(ctx, m)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("not done within %s: %w", h.Timeout, err)
		}
		cancel()
		switch {
		case err == nil:
			return nil
		case r.ctx.Err() != nil:
			return errEnd
		case errors.Is(err, ErrRefused), attempt == 1 && h.Attempts <= 1:
			return err
		case attempt >= h.Attempts:
			return fmt.Errorf("tried %d times: %w", attempt, err)
		}
		wait := pause/2 + rand.N(pause/2+1) //nolint:gosec // so that hooks of many machines do not come back as one
		if again, ok := errors.AsType[*RetryError](err); ok {
			wait += again.After
		}
		select {
		case <-time.After(wait):
		case <-r.ctx.Done():
			return errEnd
		}
		pause = min(2*pause, longestPause)
	}
}

// RetryError is of a delivery that is to be tried again, and not before.
type RetryError struct {
	After time.Duration
	Err   error
}

func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }
