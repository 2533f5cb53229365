package control

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// mostOfOne is how many connections one user may have open at once. Root and the supervisor's own user have as many for
	// themselves, so that others cannot keep them out.
	mostOfOne = 128
	// mostOfAll is how many there may be, root's among them; each costs a descriptor and some kilobytes.
	mostOfAll = 512
)

// limited counts connections of a unix socket by user, and turns away those that are too many with an answer in place of silence.
type limited struct {
	net.Listener

	mu    sync.Mutex
	total int
	of    map[int]int // by uid
}

func limit(l net.Listener) *limited { return &limited{Listener: l, of: map[int]int{}} }

// Accept returns the next connection that is not too many.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &countedConn{Conn: conn, of: l}
		if c.who, c.err = callerOf(conn); c.err != nil {
			c.who = caller{uid: nobody} // and not root, whose number is 0
		}
		if l.take(c.who.uid) {
			return c, nil
		}
		turnAway(conn)
	}
}

func (l *limited) take(uid int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[uid] >= mostOfOne || l.total >= mostOfAll && !trusted(uid) {
		return false
	}
	l.of[uid]++
	l.total++
	return true
}

func (l *limited) give(uid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.of[uid]--; l.of[uid] == 0 {
		delete(l.of, uid)
	}
}

// turnAway answers without reading what was asked. A socket that is new takes so little without waiting.
func turnAway(conn net.Conn) {
	body := fmt.Sprintf(`{"error": "too many connections at once", "code": %q}`+"\n", CodeTooMany)
	_ = conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\nRetry-After: 1\r\n\r\n%s",
		http.StatusTooManyRequests, http.StatusText(http.StatusTooManyRequests), len(body), body)
	_ = conn.Close()
}

// countedConn is counted until it is closed.
type countedConn struct {
	net.Conn
	of   *limited
	who  caller
	err  error // why who is not known
	once sync.Once
}

// Close counts it out.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.of.give(c.who.uid) })
	return c.Conn.Close()
}
