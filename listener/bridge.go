package listener

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// lingerTimeout is how long a client may go on sending after the worker has closed; the kernel itself gives up such
// connections after net.ipv4.tcp_fin_timeout, which is a minute.
const lingerTimeout = time.Minute

// bridge is a connection of a client and ours to a worker for it.
type bridge struct {
	client, worker *net.TCPConn

	mu       sync.Mutex
	halted   bool // the copies end where they are
	up, down bool // the client, or the worker, has said all, and the other knows
}

// carry copies both ways until both are done, each end's close apart, and closes both connections. An error of one way
// resets both, as it would without us. The copies are splice(2) calls. False means that it was halted: then both
// connections are open, and no byte is lost between them.
func (b *bridge) carry(ctx context.Context) (done bool) {
	// Nothing but the end of its connections wakes a copy.
	stop := context.AfterFunc(ctx, b.reset)
	defer stop()
	var up sync.WaitGroup
	if !b.up {
		up.Go(func() { b.pump(b.worker, b.client, &b.up) })
	}
	if b.down || b.pump(b.client, b.worker, &b.down) {
		b.linger()
	}
	up.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.halted && !(b.up && b.down) {
		return false
	}
	_ = b.client.Close()
	_ = b.worker.Close()
	return true
}

// pump copies until src has no more to say, and hands that on; false means that it failed, or was halted.
func (b *bridge) pump(dst, src *net.TCPConn, ended *bool) bool {
	_, err := io.Copy(dst, src)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.halted && errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if err == nil {
		err = dst.CloseWrite()
	}
	*ended = true
	if err != nil {
		b.reset()
	}
	return err == nil
}

// linger bounds how long the client may go on once the worker is done.
func (b *bridge) linger() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.halted {
		_ = b.client.SetReadDeadline(time.Now().Add(lingerTimeout))
	}
}

// halt ends both copies when they have written what they have read.
func (b *bridge) halt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.halted = true
	past := time.Unix(1, 0)
	_ = b.client.SetReadDeadline(past)
	_ = b.worker.SetReadDeadline(past)
}

// unhalt lets carry be called again.
func (b *bridge) unhalt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.halted = false
	_ = b.client.SetReadDeadline(time.Time{})
	_ = b.worker.SetReadDeadline(time.Time{})
}

func (b *bridge) reset() {
	reset(b.client)
	reset(b.worker)
}

// connOf turns an accepted descriptor into a connection, and closes it on the way.
func connOf(fd int) (*net.TCPConn, error) {
	f := os.NewFile(uintptr(fd), "accepted")
	defer func() { _ = f.Close() }()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use accepted connection: %w", err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("cannot use accepted connection: %T is not TCP", conn)
	}
	_ = tcp.SetKeepAlive(true) // a client that vanished would hold the relay for ever
	return tcp, nil
}

// reset closes a connection so that its peer learns that it did not end well.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
