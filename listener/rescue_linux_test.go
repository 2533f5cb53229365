package listener

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// digest answers with the SHA-256 of all that the client sent before it closed its side, and then with as much again.
func digest(conn net.Conn) {
	var all bytes.Buffer
	_, _ = io.Copy(&all, conn)
	sum := sha256.Sum256(all.Bytes())
	_, _ = conn.Write(sum[:])
	_, _ = conn.Write(all.Bytes())
}

func TestAbandonRelaysWhatWaits(t *testing.T) {
	t.Parallel()
	const clients = 20
	h := open(t, 2, "127.0.0.1:0")
	l := h.first()
	must(t, l.Steer([]Member{{0, A}}))
	serveWith(t, l, 1, B, digest)
	var conns []net.Conn
	for range clients {
		conn, err := dial(l.testTarget(), "")
		must(t, err)
		conns = append(conns, conn)
	}
	must(t, l.Abandon(0, A))
	if q, err := l.Queue(0, A); err != nil || q.Length != clients {
		t.Fatalf("queue is %+v, %v; what is steered to must wait", q, err)
	}
	must(t, l.Steer([]Member{{1, B}}))
	var all sync.WaitGroup
	for _, conn := range conns {
		all.Go(func() { converse(t, conn) })
	}
	all.Wait()
	for relayed := 0; relayed < clients; {
		ev := h.wait(EventRelayed)
		if ev.Slot != 0 || ev.Side != A {
			t.Errorf("got event %s", ev)
		}
		relayed += ev.Count
	}
	// A late one: its handshake began before the switch.
	late, err := l.Dial(deadline(t), 0, A)
	must(t, err)
	converse(t, late)

	// The next worker's connections are its own.
	must(t, l.Adopt(0, A))
	serve(t, l, 0, A)
	if who, err := ask(l.Dial(deadline(t), 0, A)); err != nil || who != "0A" {
		t.Errorf("the adopted shard answers %q, %v", who, err)
	}
}

// converse sends a megabyte, closes its side and checks the answer.
func converse(t *testing.T, conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	data := make([]byte, 1<<20)
	_, _ = rand.Read(data)
	sum := sha256.Sum256(data)
	if _, err := conn.Write(data); err != nil {
		t.Error(err)
		return
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Error(err)
		return
	}
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, append(sum[:], data...)) {
		t.Errorf("got %d bytes, %v, want the digest and %d bytes", len(got), err, len(data))
	}
}

func TestRelaysAreBounded(t *testing.T) {
	t.Parallel()
	const clients = maxRelays + 40
	h := open(t, 2, "127.0.0.1:0")
	l := h.first()
	must(t, l.Steer([]Member{{1, A}}))
	release := make(chan struct{})
	serveWith(t, l, 1, A, func(conn net.Conn) {
		<-release
		_, _ = conn.Write([]byte("done"))
	})
	var conns []net.Conn
	for range clients {
		conn, err := l.Dial(deadline(t), 0, A)
		must(t, err)
		conns = append(conns, conn)
	}
	must(t, l.Abandon(0, A))
	for relayed := 0; relayed < maxRelays; {
		relayed += h.wait(EventRelayed).Count
	}
	h.rescue.mu.Lock()
	active := h.rescue.active
	h.rescue.mu.Unlock()
	if q, err := l.Queue(0, A); err != nil || q.Length != clients-maxRelays || active != maxRelays {
		t.Errorf("%d relays, queue %+v, %v, want %d and %d", active, q, err, maxRelays, clients-maxRelays)
	}
	close(release)
	for _, conn := range conns {
		if said, err := ask(conn, nil); err != nil || said != "done" {
			t.Errorf("got %q, %v", said, err)
		}
	}
}

func TestResetIsHandedOn(t *testing.T) {
	t.Parallel()
	l := open(t, 2, "127.0.0.1:0").first()
	must(t, l.Steer([]Member{{1, A}}))
	serveWith(t, l, 1, A, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 1))
		reset(conn.(*net.TCPConn))
	})
	must(t, l.Abandon(0, B))
	conn, err := l.Dial(deadline(t), 0, B)
	must(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("x"))
	must(t, err)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err = conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// TestCloseEndsRelays leaves a relay and a queue behind; goleak in TestMain looks for what stays.
func TestCloseEndsRelays(t *testing.T) {
	t.Parallel()
	events := make(chan Event, 16)
	set, listeners, err := openSet(configs(t, "127.0.0.1:0"), nil, 2, options(t, events))
	must(t, err)
	h := &house{Set: set, t: t, events: events, listeners: listeners}
	l := h.first()
	must(t, l.Steer([]Member{{1, A}}))
	must(t, l.Abandon(0, B))
	conn, err := l.Dial(deadline(t), 0, B)
	must(t, err)
	defer conn.Close()
	h.wait(EventRelayed)
	must(t, set.Close())
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, unix.EAGAIN) {
		t.Errorf("the relayed connection lives on: %v", err)
	}
}

// TestAbandonedAndShutDown: nobody serves the shard, and a last process of its worker shuts it down.
func TestAbandonedAndShutDown(t *testing.T) {
	t.Parallel()
	h := open(t, 2, "127.0.0.1:0")
	l := h.first()
	must(t, l.Steer([]Member{{1, A}}))
	must(t, l.Abandon(0, A))
	serve(t, l, 1, A)
	must(t, unix.Shutdown(l.FD(0, A), unix.SHUT_RDWR))
	h.wait(EventRevived)
	for range 20 {
		if who, err := ask(dial(l.testTarget(), "")); err != nil || who != "1A" {
			t.Errorf("got %q, %v, want 1A", who, err)
		}
		if who, err := ask(l.Dial(deadline(t), 0, A)); err != nil || who != "1A" {
			t.Errorf("through the abandoned shard: got %q, %v, want 1A", who, err)
		}
	}
}
