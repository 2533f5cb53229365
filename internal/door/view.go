package door

import (
	"net"
	"sync"
	"time"
)

// View is a door as one server sees it, a [net.Listener].
type View struct {
	door      *Door
	leave     sync.Once
	accepting sync.WaitGroup

	mu   sync.Mutex
	over bool
}

// Accept waits for the next connection. When the view is closed, the error is net.ErrClosed.
func (v *View) Accept() (net.Conn, error) {
	if !v.enter() {
		return nil, net.ErrClosed
	}
	defer v.accepting.Done()
	conn, err := v.door.socket.Accept()
	if err != nil && v.isOver() {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close ends all waiting, and waits for that: a connection that was accepted just before comes to who has accepted it, and
// later ones wait for whoever attends next.
func (v *View) Close() error {
	v.leave.Do(func() {
		v.mu.Lock()
		v.over = true
		v.mu.Unlock()
		// Errors are of a door that is closed, where nobody waits any more.
		_ = v.door.socket.SetDeadline(time.Unix(1, 0))
		v.accepting.Wait()
		_ = v.door.socket.SetDeadline(time.Time{})
	})
	return nil
}

// Addr is the address of the door.
func (v *View) Addr() net.Addr { return v.door.Addr() }

func (v *View) enter() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.over {
		v.accepting.Add(1)
	}
	return !v.over
}

func (v *View) isOver() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.over
}
