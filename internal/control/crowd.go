package control

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
)

// crowd counts the connections over TCP. Nobody knows who they are before they have sent a token, and so somebody without one could
// have them all: where there are mostOfOne, the oldest of those goes who have not.
type crowd struct {
	net.Listener

	mu  sync.Mutex
	all []*guest // the oldest first
}

// guest is a connection of somebody.
type guest struct {
	net.Conn
	of      *crowd
	isKnown bool // it has sent a token; guarded by the lock of all
}

// Accept returns the next connection for which there is room.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g := &guest{Conn: conn, of: c}
		silent, ok := c.enter(g)
		if !ok {
			turnAway(conn)
			continue
		}
		if silent != nil {
			_ = silent.Conn.Close() // which its server finds out
		}
		return g, nil
	}
}

// enter takes one in, if need be in the place of another one.
func (c *crowd) enter(g *guest) (instead *guest, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= mostOfOne {
		i := slices.IndexFunc(c.all, func(g *guest) bool { return !g.isKnown })
		if i < 0 {
			return nil, false
		}
		instead = c.all[i]
		c.all = slices.Delete(c.all, i, i+1)
	}
	c.all = append(c.all, g)
	return instead, true
}

// Close counts it out, unless another one has its place.
func (g *guest) Close() error {
	g.of.mu.Lock()
	g.of.all = slices.DeleteFunc(g.of.all, func(other *guest) bool { return other == g })
	g.of.mu.Unlock()
	return g.Conn.Close()
}

type guestKey struct{}

// known takes note that a request had a token that is known: its connection stays.
func known(r *http.Request) {
	if g, ok := r.Context().Value(guestKey{}).(*guest); ok {
		g.of.mu.Lock()
		defer g.of.mu.Unlock()
		g.isKnown = true
	}
}

// receive is for http.Server.ConnContext.
func receive(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, guestKey{}, conn)
}
