package etcd_test

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// way is a small relay between a holder and a member. While it is cut nothing passes it, and nobody is told.
type way struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	joined chan struct{} // closed while it is not cut
	conns  map[net.Conn]struct{}
}

func newWay(t *testing.T, endpoint string) *way {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{listener: l, to: strings.TrimPrefix(endpoint, "http://"), joined: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(w.joined)
	w.running.Go(w.serve)
	t.Cleanup(w.close)
	return w
}

func (w *way) endpoint() string { return "http://" + w.listener.Addr().String() }

func (w *way) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.running.Go(func() {
			defer near.Close()
			w.pass()
			far, err := net.Dial("tcp", w.to)
			if err != nil {
				return
			}
			defer far.Close()
			if !w.keep(near, far) {
				return
			}
			var both sync.WaitGroup
			both.Go(func() { w.relay(near, far) })
			both.Go(func() { w.relay(far, near) })
			both.Wait()
			w.forget(near, far)
		})
	}
}

func (w *way) relay(from, to net.Conn) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		w.pass()
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits while the way is cut.
func (w *way) pass() {
	w.mu.Lock()
	joined := w.joined
	w.mu.Unlock()
	<-joined
}

func (w *way) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = struct{}{}
	}
	return !w.closed
}

func (w *way) forget(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		delete(w.conns, c)
	}
}

func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.joined:
		w.joined = make(chan struct{})
	default:
	}
}

func (w *way) join() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.joined:
	default:
		close(w.joined)
	}
}

func (w *way) close() {
	w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for c := range w.conns {
		c.Close()
	}
	w.mu.Unlock()
	w.join()
	w.running.Wait()
}
