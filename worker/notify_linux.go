package worker

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker/handshake"
)

// Notify is the socket on which one worker, and whoever it lets, speaks
// sd_notify(3). The address is abstract, so nothing is left in a file system,
// and random, so that a worker can only guess another's.
type Notify struct {
	poller  *poll.Poller
	address string
	uid     atomic.Int64
	on      func(msg handshake.Message, sender int, err error)

	mu sync.Mutex // held over every use of fd, so that Close cannot pull it away
	fd int        // -1 when closed
}

// perWakeup bounds what one callback reads, so that a worker that never stops
// talking does not keep the poller from the others.
const perWakeup = 64

// OpenNotify opens a socket for a worker. on gets each message with the sender's
// pid (0 if that is invisible from here), or an error that wraps
// handshake.ErrMalformed for a datagram that is none; it is called on the
// poller's goroutine and must not block. Senders other than root, this process's
// user and the one of Trust are not heard. Descriptors that come along (FDSTORE,
// BARRIER) are closed, which is all that a barrier wants.
func OpenNotify(p *poll.Poller, on func(msg handshake.Message, sender int, err error)) (*Notify, error) {
	var random [16]byte
	if _, err := unix.Getrandom(random[:], 0); err != nil {
		return nil, fmt.Errorf("cannot name notification socket: %w", err)
	}
	n := &Notify{poller: p, address: "@brood-" + hex.EncodeToString(random[:]), on: on}
	n.uid.Store(int64(os.Geteuid()))
	var err error
	n.fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open notification socket: %w", err)
	}
	err = unix.SetsockoptInt(n.fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	if err == nil {
		err = unix.Bind(n.fd, &unix.SockaddrUnix{Name: n.address})
	}
	if err == nil {
		err = p.Add(n.fd, n.ready)
	}
	if err != nil {
		_ = unix.Close(n.fd)
		return nil, fmt.Errorf("cannot open notification socket: %w", err)
	}
	return n, nil
}

// Address is the value for NOTIFY_SOCKET.
func (n *Notify) Address() string { return n.address }

// Trust has messages of a user heard: of the one that the worker will run as,
// before it is started.
func (n *Notify) Trust(uid uint32) { n.uid.Store(int64(uid)) }

// Close closes the socket; what waits in it is lost. A callback that has begun
// may still deliver. It may be called from a callback, and again.
func (n *Notify) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd < 0 {
		return nil
	}
	err := n.poller.Remove(n.fd)
	if errors.Is(err, poll.ErrClosed) {
		err = nil
	}
	err = errors.Join(err, unix.Close(n.fd))
	n.fd = -1
	return err
}

func (n *Notify) ready() {
	// One byte more than allowed, to tell too long from just long enough.
	var buf [handshake.MaxMessage + 1]byte
	for range perWakeup {
		size, cred, ok := n.receive(buf[:])
		if !ok {
			return
		}
		if cred == nil || !n.trusts(cred.Uid) {
			continue
		}
		msg, err := handshake.Parse(buf[:size])
		n.on(msg, int(cred.Pid), err)
	}
}

func (n *Notify) receive(buf []byte) (int, *unix.Ucred, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd < 0 {
		return 0, nil, false
	}
	// There is room for the credentials, which come first, and for nothing else:
	// descriptors are then closed by the kernel instead of entering our table.
	oob := make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	for {
		size, oobSize, _, _, err := unix.Recvmsg(n.fd, buf, oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, nil, false // EAGAIN: all read
		}
		return size, credentials(oob[:oobSize]), true
	}
}

func credentials(oob []byte) *unix.Ucred {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		if cred, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
			return cred
		}
	}
	return nil
}

func (n *Notify) trusts(uid uint32) bool {
	return uid == 0 || int64(uid) == n.uid.Load() || int(uid) == os.Geteuid()
}
