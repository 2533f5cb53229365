package remote

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/broodctl/brood/internal/lease"
)

type state uint8

const (
	held     state = iota
	lost           // with its session, and not released yet
	released       // or claimed again
)

// claim is a place of an engine. Its state belongs to the engine's lock.
type claim struct {
	engine  *Engine
	key     key
	fence   uint64
	session lease.SessionID
	state   state
	gone    chan struct{} // closed with the session
}

var _ lease.Claim = (*claim)(nil)

func (c *claim) Name() string          { return c.key.name }
func (c *claim) Place() int            { return c.key.place }
func (c *claim) Fence() uint64         { return c.fence }
func (c *claim) Lost() <-chan struct{} { return c.gone }
func (c *claim) File() *os.File        { return nil }
func (c *claim) Saved() lease.Saved {
	return lease.Saved{Name: c.key.name, Place: c.key.place, Fence: c.fence, Session: c.session}
}

// hold notes a claim. The engine is locked.
func (e *Engine) note(k key, fence uint64, session lease.SessionID) *claim {
	c := &claim{engine: e, key: k, fence: fence, session: session, gone: make(chan struct{})}
	e.claims[k] = c
	return c
}

// Adopt asks nobody: the session goes on, and what is in it. So an upgrade needs no store.
func (e *Engine) Adopt(ctx context.Context, saved lease.Saved, _ *os.File) (lease.Claim, error) {
	cannot := func(err error) error {
		return fmt.Errorf("cannot adopt place %d of %s: %w", saved.Place, saved.Name, err)
	}
	if err := errors.Join(ctx.Err(), lease.Check(saved.Name, lease.Only(saved.Place))); err != nil {
		return nil, cannot(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	k := key{saved.Name, saved.Place}
	switch {
	case e.ctx.Err() != nil:
		return nil, cannot(lease.ErrClosed)
	case saved.Session == 0:
		return nil, cannot(errNoSession)
	case e.claims[k] != nil:
		return nil, cannot(lease.ErrTaken)
	}
	c := e.note(k, saved.Fence, saved.Session)
	if saved.Session != e.session.ID {
		c.state = lost
		close(c.gone)
	}
	return c, nil
}

var errNoSession = errors.New("it was made without a session")

// SetValue writes to the store.
func (c *claim) SetValue(ctx context.Context, value string) error {
	e := c.engine
	err := lease.CheckWords("", value)
	if err == nil {
		err = c.held()
	}
	if err == nil {
		asking, cancel := e.request(ctx)
		defer cancel()
		var there bool
		there, err = e.store.Note(asking, c.key.name, Entry{Place: c.key.place, Fence: c.fence, Session: c.session, Value: value})
		switch {
		case err != nil:
			err = e.explain(asking, err)
		case !there:
			err = lease.ErrLost
		}
	}
	if err != nil {
		return fmt.Errorf("cannot set the value of place %d of %s: %w", c.key.place, c.key.name, err)
	}
	return nil
}

func (c *claim) held() error {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	switch {
	case c.engine.ctx.Err() != nil:
		return lease.ErrClosed
	case c.state == lost:
		return lease.ErrLost
	case c.state == released:
		return errors.New("it was released")
	}
	return nil
}

// Release drops the place, now or as soon as the store answers. Once more it does nothing.
func (c *claim) Release(ctx context.Context) error {
	e := c.engine
	asking, cancel := e.request(ctx)
	defer cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	err := c.awaitOthers(asking)
	if c.state == released {
		return nil
	}
	c.state = released
	delete(e.claims, c.key)
	owed := debt{fence: c.fence}
	e.owe(c.key, owed) // until the store has answered
	if err == nil {
		err = c.drop(asking)
	}
	if err != nil {
		return fmt.Errorf("cannot release place %d of %s yet: %w", c.key.place, c.key.name, e.explain(asking, err))
	}
	e.paid(c.key, owed)
	e.hints[c.key.name] = hint{place: c.key.place}
	return nil
}

// awaitOthers waits for who claims a place again that was lost. The engine is locked before and after.
func (c *claim) awaitOthers(ctx context.Context) error {
	e := c.engine
	for c.state != released && ctx.Err() == nil {
		others, busy := e.busy[c.key]
		if !busy {
			return nil
		}
		e.mu.Unlock()
		select {
		case <-others:
		case <-ctx.Done():
		}
		e.mu.Lock()
	}
	return ctx.Err()
}

// drop asks the store. The engine is locked before and after.
func (c *claim) drop(ctx context.Context) error {
	e := c.engine
	e.busy[c.key] = make(chan struct{})
	e.mu.Unlock()
	err := e.store.Drop(ctx, c.key.name, c.key.place, c.fence)
	e.mu.Lock()
	e.leave(c.key)
	return err
}
