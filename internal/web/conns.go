package web

import (
	"context"
	"net"
	"sync"
	"time"
)

// conns counts the connections of a server. With more than limit of them the one goes that has waited longest for its
// client: a probe shall not fail because of clients that do nothing. Only if all have work the new one goes.
type conns struct {
	limit int

	mu  sync.Mutex
	all map[net.Conn]*visit
}

// visit is one connection.
type visit struct {
	since time.Time // it waits for its client, or for the rest of a request
	busy  bool      // a handler works for it
}

func newConns(limit int) *conns { return &conns{limit: limit, all: map[net.Conn]*visit{}} }

type visitKey struct{}

// come is for http.Server.ConnContext: a connection has been accepted. One that is closed here ends with its first read.
func (cs *conns) come(ctx context.Context, conn net.Conn) context.Context {
	v := &visit{since: time.Now()}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.all[conn] = v
	if len(cs.all) > cs.limit {
		idle := cs.longestLocked()
		delete(cs.all, idle)
		_ = idle.Close()
	}
	return context.WithValue(ctx, visitKey{}, v)
}

// longestLocked is the connection that has waited longest. There is always one: that which just came.
func (cs *conns) longestLocked() net.Conn {
	var longest net.Conn
	for conn, v := range cs.all {
		if !v.busy && (longest == nil || v.since.Before(cs.all[longest].since)) {
			longest = conn
		}
	}
	return longest
}

// gone forgets a connection. Of one that was sent away it is not the first to hear.
func (cs *conns) gone(conn net.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.all, conn)
}

// working calls next, and meanwhile nobody sends the connection away.
func (cs *conns) working(v *visit, next func()) {
	cs.set(v, true)
	defer cs.set(v, false)
	next()
}

func (cs *conns) set(v *visit, busy bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	v.busy, v.since = busy, time.Now()
}
