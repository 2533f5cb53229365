package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// Config is how an engine behaves. Zero values are the defaults.
type Config struct {
	Who        string             // for people: host, supervisor, process
	Lease      time.Duration      // how long a holder is trusted after its last renewal; default 10 s
	ClockError time.Duration      // by how much two clocks may differ over a lease; default a tenth of it
	Request    time.Duration      // how long a request may take; default a quarter of the lease
	Notify     func(lease.Notice) // hears of the session, if it is not nil; must not block
	Resume     Saved              // of an earlier program of this process, whose session nobody is told of; a new one if its ID is 0
	Clock      Clock              // default Boottime
}

// Limits of what is sensible: below a second the scheduling of a busy machine is as long as a renewal takes.
const (
	minLease = 500 * time.Millisecond
	maxLease = 24 * time.Hour
)

func (c *Config) complete() error {
	if err := lease.CheckWords(c.Who, ""); err != nil {
		return err
	}
	if c.Lease == 0 {
		c.Lease = 10 * time.Second
	}
	if c.ClockError == 0 {
		c.ClockError = c.Lease / 10
	}
	if c.Request == 0 {
		c.Request = c.Lease / 4
	}
	if c.Clock == nil {
		c.Clock = Boottime{}
	}
	if c.Notify == nil {
		c.Notify = func(lease.Notice) {}
	}
	switch {
	case c.Lease < minLease || c.Lease > maxLease:
		return fmt.Errorf("a lease of %v is not between %v and %v", c.Lease, minLease, maxLease)
	case c.ClockError < 0 || c.ClockError > c.Lease/2:
		return fmt.Errorf("an error of clocks of %v is not between 0 and half of the lease of %v", c.ClockError, c.Lease)
	case c.Request < 0:
		return fmt.Errorf("a time of %v for a request is negative", c.Request)
	}
	return nil
}

// cooldown is how long a place stays taken after its holder was seen lost.
func (c *Config) cooldown() time.Duration { return c.Lease + c.ClockError }

type key struct {
	name  string
	place int
}

// Engine is a [lease.Engine] over a [Store].
type Engine struct {
	cfg   Config
	store Store

	ctx     context.Context // ends with the engine
	end     context.CancelFunc
	running sync.WaitGroup
	poke    chan struct{} // the store said that the session is gone

	mu       sync.Mutex
	session  lease.Session
	cause    error                 // why there is none
	changed  chan struct{}         // closed and made anew when a session begins
	claims   map[key]*claim        // held, or lost and not released yet
	busy     map[key]chan struct{} // being claimed, released or cleared up; closed after that
	debts    map[key][]debt        // what the store may still have, and nobody wants
	settling bool                  // debts are being cleared up
	cooling  map[key]observation   // places seen without a holder
	hints    map[string]hint       // a place that was seen free, by name
}

var _ lease.Engine = (*Engine)(nil)

// New begins a session in the background, or goes on with an earlier one, and owns the store from now on.
func New(store Store, cfg Config) (*Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	ctx, end := context.WithCancel(context.Background())
	e := &Engine{
		cfg: cfg, store: store, ctx: ctx, end: end,
		poke: make(chan struct{}, 1), changed: make(chan struct{}),
		session: cfg.Resume.Session, cause: errors.New("no answer yet"),
		claims: map[key]*claim{}, busy: map[key]chan struct{}{}, debts: cfg.Resume.debts(), cooling: map[key]observation{}, hints: map[string]hint{},
	}
	e.running.Go(e.run)
	return e, nil
}

// Session is the current one.
func (e *Engine) Session() lease.Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.session
}

// Holders asks the store.
func (e *Engine) Holders(ctx context.Context, name string) ([]lease.Holder, error) {
	cannot := func(err error) error { return fmt.Errorf("cannot list the holders of %s: %w", name, err) }
	all := lease.Range{First: 0, Last: lease.MaxPlace}
	if err := lease.Check(name, all); err != nil {
		return nil, cannot(err)
	}
	ctx, cancel := e.request(ctx)
	defer cancel()
	entries, _, err := e.store.Look(ctx, name, all)
	if err != nil {
		return nil, cannot(e.explain(ctx, err))
	}
	var hs []lease.Holder
	for _, x := range entries {
		hs = append(hs, x.holder())
	}
	return hs, nil
}

func (x Entry) holder() lease.Holder {
	return lease.Holder{Place: x.Place, Fence: x.Fence, Who: x.Who, Value: x.Value, Cooling: !x.Alive}
}

// request limits a request, and ends it with the engine.
func (e *Engine) request(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Request)
	stop := context.AfterFunc(e.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// explain says what an error of the store is to the caller.
func (e *Engine) explain(ctx context.Context, err error) error {
	switch {
	case e.ctx.Err() != nil:
		return lease.ErrClosed
	case errors.Is(err, ErrGone):
		return fmt.Errorf("%w: %w", lease.ErrUnavailable, err)
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err() // the caller has given up
	case ctx.Err() != nil:
		return fmt.Errorf("%w: no answer from %v within %v: %w", lease.ErrUnavailable, e.store, e.cfg.Request, err)
	}
	return fmt.Errorf("%v: %w", e.store, err)
}

// Close ends the session if it has no places, and leaves it to run out otherwise.
func (e *Engine) Close() error {
	e.mu.Lock()
	closed := e.ctx.Err() != nil
	e.end()
	e.mu.Unlock()
	if closed {
		e.running.Wait()
		return nil
	}
	e.running.Wait()
	e.mu.Lock()
	s, places := e.session, len(e.claims)+len(e.busy)
	e.mu.Unlock()
	// What an earlier program had may not have been adopted yet.
	if s.ID != 0 && s.ID != e.cfg.Resume.Session.ID && places == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), e.cfg.Request)
		defer cancel()
		_ = e.store.Revoke(ctx, s.ID) // or it runs out
	}
	return e.store.Close()
}

// pause waits, unless the engine or the context ends before.
func (e *Engine) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.ctx.Done():
		return lease.ErrClosed
	}
}

// about is a duration give or take a tenth, so that what began together does not stay together.
func about(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // it need not be hard to guess
}

// backoff doubles from a hundredth of the lease to half of it.
func (e *Engine) backoff(failures int) time.Duration {
	return about(min(e.cfg.Lease/100<<min(failures, 10), e.cfg.Lease/2, 5*time.Second))
}
