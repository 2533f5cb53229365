package memory

import (
	"context"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// backlog is how much news a watcher may leave unread before its watch is interrupted.
const backlog = 256

type watcher struct {
	client  *Client
	name    string
	among   lease.Range
	begun   uint64 // what is not newer than this revision it knows
	changes chan remote.Change
}

// news is on its way to all who watch a name.
type news struct {
	name     string
	change   remote.Change
	revision uint64
}

// Watch begins at once. What has changed since the revision interrupts it: somebody looks again then.
func (c *Client) Watch(ctx context.Context, name string, among lease.Range, after uint64) <-chan remote.Change {
	w := &watcher{client: c, name: name, among: among, changes: make(chan remote.Change, backlog)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Watches++
	w.begun = c.revision
	c.name(name).watchers[w] = struct{}{}
	if after < c.revision {
		c.catchUp(w, after)
	}
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.drop(w)
	})
	return w.changes
}

// catchUp hands on what is newer than a revision and was told to others before: claims carry their revision, and of
// places that are gone the watcher cannot know, so it is interrupted where there may be some.
func (c *Client) catchUp(w *watcher, after uint64) {
	p := c.name(w.name)
	if p.lastGone > after {
		c.drop(w)
		return
	}
	for _, e := range p.entries {
		if e.Fence > after && w.among.Contains(e.Place) {
			c.push(w, remote.Change{Kind: remote.Taken, Place: e.Place, Fence: e.Fence})
		}
	}
}

// tell sends a change to all who watch. The server is locked.
func (s *Server) tell(name string, change remote.Change) {
	if change.Kind != remote.Taken {
		s.name(name).lastGone = s.revision
	}
	if s.cfg.Latency == 0 {
		s.arrive(news{name, change, s.revision})
		return
	}
	s.onTheWay = append(s.onTheWay, news{name, change, s.revision})
	// Timers of one moment may fire in any order: each hands on the oldest.
	time.AfterFunc(s.cfg.Latency/2, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := s.onTheWay[0]
		s.onTheWay = s.onTheWay[1:]
		s.arrive(n)
	})
}

func (s *Server) arrive(n news) {
	for w := range s.name(n.name).watchers {
		if n.revision > w.begun && w.among.Contains(n.change.Place) {
			s.push(w, n.change)
		}
	}
}

func (s *Server) push(w *watcher, change remote.Change) {
	w.client.way.Lock()
	cut := w.client.cut
	w.client.way.Unlock()
	if cut {
		return // its watch is interrupted when it is joined again
	}
	select {
	case w.changes <- change:
		s.counts.News++
	default:
		s.drop(w)
	}
}

// drop ends a watch, once.
func (s *Server) drop(w *watcher) {
	watchers := s.name(w.name).watchers
	if _, on := watchers[w]; on {
		delete(watchers, w)
		close(w.changes)
	}
}

// interrupt ends the watches of a client.
func (c *Client) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.names {
		for w := range p.watchers {
			if w.client == c {
				c.drop(w)
			}
		}
	}
	c.interruptMemos()
}
