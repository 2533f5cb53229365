package listener

import (
	"context"
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

// rescuer bounds the relays of all listeners of a Set.
type rescuer struct {
	mu     sync.Mutex
	active int
	parked []func()
}

// room says how many relays may be started, n at most. When there is none, again is called once a relay has ended. Only
// the poller's goroutine asks and starts, so the answer holds until it has.
func (r *rescuer) room(n int, again func()) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active >= maxRelays {
		r.parked = append(r.parked, again)
		return 0
	}
	return min(n, maxRelays-r.active)
}

func (r *rescuer) began() {
	r.mu.Lock()
	r.active++
	r.mu.Unlock()
}

func (r *rescuer) ended() {
	r.mu.Lock()
	r.active--
	parked := r.parked
	r.parked = nil
	r.mu.Unlock()
	for _, again := range parked {
		again()
	}
}

// relays owns the goroutines of one listener's relays.
type relays struct {
	bound  *rescuer
	ctx    context.Context // the life of the goroutines, which no caller has
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

func newRelays(bound *rescuer) *relays {
	r := &relays{bound: bound}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// start runs a relay of the accepted connection fd, which it owns from now on.
func (r *relays) start(fd int, relay func(context.Context)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = os.NewFile(uintptr(fd), "accepted").Close()
		return
	}
	r.bound.began()
	r.wg.Go(func() {
		relay(r.ctx)
		r.bound.ended()
	})
}

// close ends all relays and waits for them. The caller must not hold the lock of a listener.
func (r *relays) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wg.Wait()
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

// carry copies both ways until both are done, each end's close apart, and closes both connections. An error of one way
// resets both, as it would without us. The copies are splice(2) calls.
func carry(ctx context.Context, client, worker *net.TCPConn) {
	// Nothing but the end of its connections wakes a copy.
	stop := context.AfterFunc(ctx, func() {
		reset(client)
		reset(worker)
	})
	defer stop()
	var up sync.WaitGroup
	up.Go(func() { pump(worker, client) })
	if pump(client, worker) {
		_ = client.SetReadDeadline(time.Now().Add(lingerTimeout))
	}
	up.Wait()
	_ = client.Close()
	_ = worker.Close()
}

// pump copies until src has no more to say, and hands that on; false means that it failed.
func pump(dst, src *net.TCPConn) bool {
	_, err := io.Copy(dst, src)
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		reset(src)
		reset(dst)
	}
	return err == nil
}

// reset closes a connection so that its peer learns that it did not end well.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
