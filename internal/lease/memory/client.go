package memory

import (
	"context"
	"sync"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// Client is one engine's way to the server.
type Client struct {
	*Server

	way    sync.Mutex
	cut    bool
	joined chan struct{} // closed when it is not cut any more
}

var _ remote.Store = (*Client)(nil)

// Client is another one.
func (s *Server) Client() *Client { return &Client{Server: s} }

// Cut stops everything on the way, in both directions.
func (c *Client) Cut() {
	c.way.Lock()
	defer c.way.Unlock()
	if !c.cut {
		c.cut, c.joined = true, make(chan struct{})
	}
}

// Join undoes Cut. Watches begin again.
func (c *Client) Join() {
	c.way.Lock()
	if !c.cut {
		c.way.Unlock()
		return
	}
	c.cut = false
	close(c.joined)
	c.way.Unlock()
	c.interrupt()
}

// pass waits for the way to be open.
func (c *Client) pass(ctx context.Context) error {
	c.way.Lock()
	cut, joined := c.cut, c.joined
	c.way.Unlock()
	if cut {
		select {
		case <-joined:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// ask does something at the server, half of the latency after it was called and half of it before it returns. It may
// be done although nobody hears of it.
func (c *Client) ask(ctx context.Context, do func()) error {
	for _, step := range []func(){func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		do()
	}, func() {}} {
		if err := c.pass(ctx); err != nil {
			return err
		}
		if err := c.travel(ctx); err != nil {
			return err
		}
		step()
	}
	return c.pass(ctx)
}

func (c *Client) travel(ctx context.Context) error {
	if c.cfg.Latency == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(c.cfg.Latency / 2)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Grant begins a session.
func (c *Client) Grant(ctx context.Context, ttl time.Duration) (id lease.SessionID, err error) {
	err = c.ask(ctx, func() {
		c.counts.Grants++
		c.revision++
		id = lease.SessionID(c.revision)
		c.sessions[id] = &session{ttl: ttl, lives: map[place]struct{}{}, timer: time.AfterFunc(ttl, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.expire(id)
		})}
	})
	return id, err
}

// KeepAlive renews it.
func (c *Client) KeepAlive(ctx context.Context, id lease.SessionID) error {
	gone := false
	err := c.ask(ctx, func() {
		c.counts.Renewals++
		x := c.sessions[id]
		// Where it has run out in this very moment, its end is on the way.
		if gone = x == nil || !x.timer.Stop(); !gone {
			x.timer.Reset(x.ttl)
		}
	})
	if err == nil && gone {
		err = remote.ErrGone
	}
	return err
}

// Revoke ends it.
func (c *Client) Revoke(ctx context.Context, id lease.SessionID) error {
	return c.ask(ctx, func() { c.expire(id) })
}

// Take claims a place.
func (c *Client) Take(ctx context.Context, name string, expect uint64, e remote.Entry) (now remote.Entry, ok bool, err error) {
	gone := false
	err = c.ask(ctx, func() {
		c.counts.Takes++
		x, p := c.sessions[e.Session], c.name(name)
		now = p.entries[e.Place]
		now.Place = e.Place
		switch {
		case x == nil:
			gone = true
		case now.Alive || now.Fence != expect:
			c.counts.Refused++
		default:
			c.revision++
			e.Fence, e.Alive = c.revision, true
			now, ok = e, true
			p.entries[e.Place] = e
			p.highest = max(p.highest, e.Place)
			x.lives[place{name, e.Place}] = struct{}{}
			c.tell(name, remote.Change{Kind: remote.Taken, Place: e.Place, Fence: e.Fence})
		}
	})
	if err == nil && gone {
		err = remote.ErrGone
	}
	return now, ok, err
}

// Note writes a value.
func (c *Client) Note(ctx context.Context, name string, e remote.Entry) (there bool, err error) {
	err = c.ask(ctx, func() {
		c.counts.Notes++
		p := c.name(name)
		now := p.entries[e.Place]
		if there = now.Alive && now.Fence == e.Fence; there {
			now.Value = e.Value
			p.entries[e.Place] = now
		}
	})
	return there, err
}

// Drop gives a place back.
func (c *Client) Drop(ctx context.Context, name string, index int, fence uint64) error {
	return c.ask(ctx, func() {
		c.counts.Drops++
		p := c.name(name)
		now := p.entries[index]
		if now.Fence != fence {
			return
		}
		c.revision++
		delete(p.entries, index)
		if x := c.sessions[now.Session]; x != nil {
			delete(x.lives, place{name, index})
		}
		c.tell(name, remote.Change{Kind: remote.Freed, Place: index})
	})
}

// Look lists entries.
func (c *Client) Look(ctx context.Context, name string, among lease.Range) (all []remote.Entry, at uint64, err error) {
	err = c.ask(ctx, func() {
		c.counts.Looks++
		at = c.revision
		p := c.name(name)
		among.Last = min(among.Last, p.highest)
		for i := among.First; i <= among.Last; i++ {
			if e, there := p.entries[i]; there {
				all = append(all, e)
			}
		}
		c.counts.Entries += len(all)
	})
	return all, at, err
}

// Close has nothing to do: what the client has at the server stays.
func (c *Client) Close() error { return nil }
