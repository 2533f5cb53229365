package memory

import (
	"context"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// memo is what is written under a name.
type memo struct {
	lease.Memo
	watchers map[*reader]struct{}
}

// reader wants to hear that a memo has changed.
type reader struct {
	client  *Client
	begun   uint64 // what is not newer than this revision it knows
	changed chan struct{}
}

// memo: the server is locked.
func (s *Server) memo(name string) *memo {
	m := s.memos[name]
	if m == nil {
		m = &memo{watchers: map[*reader]struct{}{}}
		s.memos[name] = m
	}
	return m
}

// Memo reads one.
func (c *Client) Memo(ctx context.Context, name string) (m lease.Memo, at uint64, err error) {
	err = c.ask(ctx, func() {
		c.counts.Memos++
		m, at = c.memo(name).Memo, c.revision
	})
	return m, at, err
}

// SetMemo writes one.
func (c *Client) SetMemo(ctx context.Context, name, text string, since uint64) (revision uint64, ok bool, err error) {
	err = c.ask(ctx, func() {
		c.counts.Memos++
		m := c.memo(name)
		if ok = m.Revision == since; !ok {
			return
		}
		c.revision++
		revision = c.revision
		m.Memo = lease.Memo{Text: text, Revision: revision}
		time.AfterFunc(c.cfg.Latency/2, func() { c.tellMemo(name, revision) })
	})
	return revision, ok, err
}

// tellMemo reaches all whose way is not cut.
func (s *Server) tellMemo(name string, revision uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.memo(name)
	for r := range m.watchers {
		r.client.way.Lock()
		cut := r.client.cut
		r.client.way.Unlock()
		if !cut && revision > r.begun {
			s.counts.News++
			m.drop(r)
		}
	}
}

// MemoChanged begins at once.
func (c *Client) MemoChanged(ctx context.Context, name string, after uint64) <-chan struct{} {
	r := &reader{client: c, begun: after, changed: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Watches++
	m := c.memo(name)
	m.watchers[r] = struct{}{}
	if m.Revision > after {
		m.drop(r)
	}
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		m.drop(r)
	})
	return r.changed
}

// drop ends a watch, once. The server is locked.
func (m *memo) drop(r *reader) {
	if _, on := m.watchers[r]; on {
		delete(m.watchers, r)
		close(r.changed)
	}
}

// interruptMemos ends the watches of a client. The server is locked.
func (c *Client) interruptMemos() {
	for _, m := range c.memos {
		for r := range m.watchers {
			if r.client == c {
				m.drop(r)
			}
		}
	}
}
