package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// run holds one session after the other until the engine is closed.
func (e *Engine) run() {
	s, former := e.cfg.Resume.Session, lease.SessionID(0)
	for e.ctx.Err() == nil {
		if s.ID == 0 {
			var err error
			if s, err = e.begin(former); err != nil {
				return // closed
			}
		}
		cause := e.hold(s)
		if e.ctx.Err() != nil {
			return
		}
		e.lose(s, cause)
		s, former = lease.Session{}, s.ID
	}
}

// begin asks for a session until there is one.
func (e *Engine) begin(former lease.SessionID) (lease.Session, error) {
	for failures := 0; ; failures++ {
		sent := e.cfg.Clock.Now()
		ctx, cancel := e.request(e.ctx)
		id, err := e.store.Grant(ctx, e.cfg.Lease)
		if err == nil && former != 0 {
			// What lived in the old one goes now, so that others begin to count the cooldown. It would run out as well.
			_ = e.store.Revoke(ctx, former)
		}
		cause := err
		if err != nil {
			cause = e.explain(ctx, err)
		}
		cancel()
		if err == nil {
			s := lease.Session{ID: id, Deadline: e.deadline(sent)}
			e.start(s)
			return s, nil
		}
		e.mu.Lock()
		e.cause = cause
		e.mu.Unlock()
		if err := e.pause(e.ctx, e.backoff(failures)); err != nil {
			return lease.Session{}, err
		}
	}
}

func (e *Engine) deadline(sent time.Duration) time.Duration {
	return sent + e.cfg.Lease - e.cfg.ClockError
}

func (e *Engine) start(s lease.Session) {
	e.mu.Lock()
	e.session = s
	close(e.changed)
	e.changed = make(chan struct{})
	e.mu.Unlock()
	e.cfg.Notify(lease.Notice{Session: s, Kind: lease.Began})
}

// hold renews the session until it is lost, and says why.
func (e *Engine) hold(s lease.Session) (cause error) {
	interval := e.cfg.Lease / 3
	if e.cfg.Resume.Session.ID == s.ID {
		interval = 0 // how long the old program did not renew it is unknown
	}
	for failures := 0; ; {
		ctx, stop, err := e.until(s.Deadline)
		if err != nil {
			return err
		}
		sent, err := e.renew(ctx, s.ID, about(interval))
		now := e.cfg.Clock.Now()
		stop()
		switch {
		case e.ctx.Err() != nil:
			return lease.ErrClosed
		case errors.Is(err, ErrGone):
			return fmt.Errorf("%v says that it has ended", e.store)
		case now >= s.Deadline:
			if cause == nil {
				cause = err
			}
			return fmt.Errorf("no renewal was confirmed in time: %w", cause)
		case err != nil:
			cause = err
			failures++
			interval = e.backoff(failures)
		default:
			cause, failures, interval = nil, 0, e.cfg.Lease/3
			s.Deadline = e.deadline(sent)
			e.renewed(s)
		}
	}
}

// until is a context that ends at the deadline by the clock of the machine.
func (e *Engine) until(deadline time.Duration) (context.Context, func(), error) {
	ctx, cancel := context.WithCancel(e.ctx)
	stop, err := e.cfg.Clock.AfterFunc(deadline, cancel)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return ctx, func() { stop(); cancel() }, nil
}

// renew waits a while and then asks once. It returns when it began to.
func (e *Engine) renew(ctx context.Context, id lease.SessionID, wait time.Duration) (sent time.Duration, err error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.poke:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	sent = e.cfg.Clock.Now()
	asking, cancel := context.WithTimeout(ctx, e.cfg.Request)
	defer cancel()
	err = e.store.KeepAlive(asking, id)
	switch {
	case err == nil, errors.Is(err, ErrGone):
		return sent, err
	case ctx.Err() != nil:
		return sent, fmt.Errorf("no answer from %v", e.store)
	}
	return sent, e.explain(asking, err)
}

func (e *Engine) renewed(s lease.Session) {
	e.mu.Lock()
	e.session = s
	e.mu.Unlock()
	e.cfg.Notify(lease.Notice{Session: s, Kind: lease.Renewed})
	e.settle()
}

// lose tells everybody that the places of a session are gone.
func (e *Engine) lose(s lease.Session, cause error) {
	e.mu.Lock()
	e.session, e.cause = lease.Session{}, cause
	for _, c := range e.claims {
		if c.session == s.ID && c.state == held {
			c.state = lost
			close(c.gone)
		}
	}
	e.mu.Unlock()
	e.cfg.Notify(lease.Notice{Session: s, Kind: lease.Lost, Err: fmt.Errorf("the session with %v was lost: %w", e.store, cause)})
}

// suspect has the session renewed at once: the store said that it does not know it.
func (e *Engine) suspect() {
	select {
	case e.poke <- struct{}{}:
	default:
	}
}

// current is the session, waited for as long as the context allows, and not longer than some time.
func (e *Engine) current(ctx context.Context, patience time.Duration) (lease.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		e.mu.Lock()
		s, cause, changed := e.session, e.cause, e.changed
		e.mu.Unlock()
		switch {
		case e.ctx.Err() != nil:
			return s, lease.ErrClosed
		case ctx.Err() != nil:
			return s, e.unavailable(ctx, cause)
		case s.ID != 0:
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-e.ctx.Done():
		}
	}
}

func (e *Engine) unavailable(ctx context.Context, cause error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if errors.Is(cause, lease.ErrUnavailable) {
		return fmt.Errorf("%w (there is no session)", cause)
	}
	return fmt.Errorf("%w: there is no session with %v: %w", lease.ErrUnavailable, e.store, cause)
}
