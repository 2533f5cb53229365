package door

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Turn is the time for which one [http.Server] attends a door. Its end is gentler than [http.Server.Shutdown], which drops
// connections that were accepted and whose request has not been read yet.
type Turn struct {
	server  *http.Server
	view    net.Listener
	serving sync.WaitGroup

	mu    sync.Mutex
	open  int           // connections
	quiet chan struct{} // closed when there is none left; nil until somebody wants to know
}

// Serve has a server accept connections from a view of a door, until End. The server must be new.
func Serve(view net.Listener, server *http.Server) *Turn {
	t := &Turn{server: server, view: view}
	next := server.ConnState
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		t.count(state)
		if next != nil {
			next(conn, state)
		}
	}
	t.serving.Go(func() { _ = server.Serve(view) })
	return t
}

func (t *Turn) count(state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch state {
	case http.StateNew:
		t.open++
	case http.StateClosed, http.StateHijacked:
		t.open--
	case http.StateActive, http.StateIdle:
	}
	t.tell()
}

// tell closes quiet when it is. The caller holds the lock.
func (t *Turn) tell() {
	if t.quiet != nil && t.open == 0 && !isClosed(t.quiet) {
		close(t.quiet)
	}
}

// Leave has no further connection accepted. Those that were go on.
func (t *Turn) Leave() {
	_ = t.view.Close()
	t.serving.Wait()
}

// End has no further connection accepted, ends those that wait for nothing, and waits until the others have been answered.
// With ctx it cuts them. It may be called once.
func (t *Turn) End(ctx context.Context) {
	t.Leave()
	t.server.SetKeepAlivesEnabled(false)
	t.mu.Lock()
	t.quiet = make(chan struct{})
	t.tell()
	t.mu.Unlock()
	select {
	case <-t.quiet:
	case <-ctx.Done():
	}
	_ = t.server.Close() // says nothing: the view is closed already
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
