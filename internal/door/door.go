package door

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// ErrSocket means that something is no listening stream socket.
var ErrSocket = errors.New("it is no listening stream socket")

// socket is what a door is made of: a listener of TCP or of a unix socket.
type socket interface {
	net.Listener
	syscall.Conn
	SetDeadline(t time.Time) error
}

// Door is a listening socket that stays open when nobody attends it. Make one with New or Adopt.
type Door struct {
	socket socket
	path   string // of a unix socket, to be removed in the end; "" is none
	close  sync.Once
	err    error // of close

	mu      sync.Mutex
	adopted int // the descriptor that it came by; -1 if there is none, or no more
	attends *View
}

// New makes a door of a listener, which belongs to it from then on. The file of a unix socket stays in the end, unless
// [Door.Unlink] is called.
func New(l net.Listener) (*Door, error) {
	s, ok := l.(socket)
	if !ok {
		return nil, fmt.Errorf("cannot attend a %T: %w", l, ErrSocket)
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	return &Door{socket: s, adopted: -1}, nil
}

// Unlink has the file of a unix socket removed in the end.
func (d *Door) Unlink(path string) { d.path = path }

// Addr is the address.
func (d *Door) Addr() net.Addr { return d.socket.Addr() }

// Descriptor is the number under which the next program can inherit the socket. It is good until Close.
func (d *Door) Descriptor() (int, error) {
	raw, err := d.socket.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("cannot find descriptor of %s: %w", d.Addr(), err)
	}
	number := -1
	if err := raw.Control(func(fd uintptr) { number = int(fd) }); err != nil {
		return -1, fmt.Errorf("cannot find descriptor of %s: %w", d.Addr(), err)
	}
	return number, nil
}

// Attend returns what a server accepts connections from. Closing it leaves the door open. One attends at a time: who did
// before does not any more.
func (d *Door) Attend() *View {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.attends != nil {
		_ = d.attends.Close()
	}
	d.attends = &View{door: d}
	return d.attends
}

// Keep closes the descriptor that a door was adopted by. Nobody can have it back then.
func (d *Door) Keep() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.adopted >= 0 {
		_ = syscall.Close(d.adopted)
		d.adopted = -1
	}
}

// Close shuts the door: who waits in the queue is turned away. It may be called again.
func (d *Door) Close() error {
	d.close.Do(func() {
		d.err = d.socket.Close()
		if d.path != "" {
			_ = os.Remove(d.path)
		}
	})
	return d.err
}
