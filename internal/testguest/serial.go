package testguest

import (
	"net"
	"sync"
)

// serialListener gives one connection at a time: the next ones wait in the kernel's
// queue until it is closed, as with a server that has a single thread.
type serialListener struct {
	net.Listener
	free chan struct{} // holds one thing when nobody is being served
}

func serially(l net.Listener) net.Listener {
	s := serialListener{Listener: l, free: make(chan struct{}, 1)}
	s.free <- struct{}{}
	return s
}

func (s serialListener) Accept() (net.Conn, error) {
	<-s.free // after Close as well: who is being served comes to an end
	conn, err := s.Listener.Accept()
	if err != nil {
		s.free <- struct{}{}
		return nil, err
	}
	return &serialConn{Conn: conn, done: func() { s.free <- struct{}{} }}, nil
}

// serialConn makes room when it is closed.
type serialConn struct {
	net.Conn
	once sync.Once
	done func()
}

func (c *serialConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.done)
	return err
}
