package testetcd

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// Way is a small relay between a client and a member. While it is cut nothing passes it, and nobody is told.
type Way struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup
	asking   gate // for what clients say
	answers  gate

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// NewWay makes one to an endpoint, until the test is over.
func NewWay(t testing.TB, endpoint string) *Way {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return NewWayFrom(t, l, endpoint)
}

// NewWayFrom makes one from a listener, which may be in another network than the member.
func NewWayFrom(t testing.TB, l net.Listener, endpoint string) *Way {
	t.Helper()
	_, to, _ := strings.Cut(endpoint, "://")
	w := &Way{listener: l, to: to, conns: map[net.Conn]struct{}{}}
	w.running.Go(w.serve)
	t.Cleanup(w.close)
	return w
}

// Endpoint is the URL for clients.
func (w *Way) Endpoint() string { return "http://" + w.listener.Addr().String() }

// Cut has nothing pass until Join.
func (w *Way) Cut() {
	w.asking.shut()
	w.answers.shut()
}

// CutAnswers has the member hear its clients, and not the other way round, until Join.
func (w *Way) CutAnswers() { w.answers.shut() }

// Join lets everything pass again, also what came meanwhile.
func (w *Way) Join() {
	w.asking.open()
	w.answers.open()
}

func (w *Way) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.running.Go(func() {
			defer near.Close()
			w.asking.pass()
			far, err := net.Dial("tcp", w.to)
			if err != nil {
				return
			}
			defer far.Close()
			if !w.keep(near, far) {
				return
			}
			var both sync.WaitGroup
			both.Go(func() { relay(near, far, &w.asking) })
			both.Go(func() { relay(far, near, &w.answers) })
			both.Wait()
			w.forget(near, far)
		})
	}
}

func relay(from, to net.Conn, g *gate) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		g.pass()
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

func (w *Way) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = struct{}{}
	}
	return !w.closed
}

func (w *Way) forget(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		delete(w.conns, c)
	}
}

func (w *Way) close() {
	w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for c := range w.conns {
		c.Close()
	}
	w.mu.Unlock()
	w.Join()
	w.running.Wait()
}

// gate is open, or has all wait who pass it.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // nil while it is open, else closed by the next opening
}

func (g *gate) pass() {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened != nil {
		<-opened
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}
