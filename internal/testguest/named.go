package testguest

import (
	"context"
	"net"
)

// listenerKey finds in a request's context the name of the socket it came by.
type listenerKey struct{}

// nameListener marks its connections with a name.
type nameListener struct {
	net.Listener
	name string
}

type nameOfConn struct {
	net.Conn
	name string
}

func (l nameListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return nameOfConn{conn, l.name}, nil
}

func nameConn(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(nameOfConn); ok {
		return context.WithValue(ctx, listenerKey{}, c.name)
	}
	return ctx
}
