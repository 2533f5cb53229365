package hooks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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
	// From is where hooks go on, as Hand has said; one that is not among them begins with the next event.
	From []Place
	// Report says that events were dropped for good, and why. It may be called from any goroutine, and must not block.
	Report func(hook string, dropped int, err error)
}

// Runner tells hooks of events until Close or Hand. Make one with Start.
type Runner struct {
	opt    Options
	all    []*desk
	ctx    context.Context //nolint:containedctx // ends all that is under way
	cancel context.CancelFunc
	taking context.Context //nolint:containedctx // ends with it, or before: nothing more is taken from the queues
	halt   context.CancelFunc
	// isHanded tells that what is left is for another Runner.
	isHanded atomic.Bool
	readers  sync.WaitGroup
	senders  sync.WaitGroup
	quit     chan struct{} // closed when no further events are to be read
}

// desk is where one hook is served.
type desk struct {
	hook   *Hook
	queue  *queue
	read   uint64 // the last event that was read; of the reader
	missed int    // and the hook does not know it; of the sender, as what follows
	broken uint64 // the event whose delivery was broken off for the next program; 0 if there is none
}

// Start begins to tell.
func Start(opt Options) *Runner {
	r := &Runner{opt: opt, quit: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.taking, r.halt = context.WithCancel(r.ctx)
	last := opt.Feed.Last()
	for i := range opt.Hooks {
		h := &opt.Hooks[i]
		d := &desk{hook: h, queue: newQueue(max(1, h.Queue)), read: last}
		if at := slices.IndexFunc(opt.From, func(p Place) bool { return p.Hook == h.Name }); at >= 0 {
			d.read, d.missed = min(opt.From[at].Last, last), max(opt.From[at].Missed, 0)
		}
		r.all = append(r.all, d)
		r.readers.Go(func() {
			defer d.queue.close()
			r.read(d)
		})
		r.senders.Go(func() { r.send(d) })
	}
	return r
}

// Close reads what is in the feed, and waits until it has been delivered or the context ends. Then it gives up what is left.
func (r *Runner) Close(ctx context.Context) {
	close(r.quit)
	r.end(ctx)
}

// end waits until all is done, and with the context for no longer.
func (r *Runner) end(ctx context.Context) {
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
func (r *Runner) read(d *desk) {
	for ending := false; ; {
		all, missed := r.opt.Feed.Since(d.read)
		d.read += missed
		if missed > 0 {
			d.queue.skip(int(missed)) // some of them may have been for this hook
		}
		for _, e := range all {
			if d.read = e.ID; d.hook.matches(e) {
				d.queue.push(e)
			}
		}
		if ending {
			return
		}
		select {
		case <-r.opt.Feed.Changed(d.read):
		case <-r.taking.Done():
			return
		case <-r.quit:
			ending = true // what came last is read too
		}
	}
}

// send delivers what is in the queue, one after the other.
func (r *Runner) send(d *desk) {
	for {
		e, dropped, ok := d.queue.pop(r.taking)
		if !ok && r.isHanded.Load() {
			return
		}
		if !ok {
			dropped = d.queue.clear()
		}
		r.lose(d, dropped)
		if !ok {
			return
		}
		err := r.deliver(d.hook, r.message(e, d.missed))
		switch {
		case err == nil:
			d.missed = 0
		case errors.Is(err, errEnd) && r.isHanded.Load():
			d.broken = e.ID
			return
		default:
			d.missed++
			r.opt.Report(d.hook.Name, 1, err)
		}
	}
}

func (r *Runner) message(e events.Event, missed int) Message {
	return Message{Name: r.opt.Name, Host: r.opt.Host, Key: r.opt.Start + "-" + strconv.FormatUint(e.ID, 10), Missed: missed, Event: e}
}

// lose takes note of events that were dropped from the queue.
func (r *Runner) lose(d *desk, dropped int) {
	if dropped == 0 {
		return
	}
	d.missed += dropped
	why := errTooSlow
	if r.ctx.Err() != nil && !r.isHanded.Load() {
		why = errEnd
	}
	r.opt.Report(d.hook.Name, dropped, why)
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
		case <-r.taking.Done():
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
