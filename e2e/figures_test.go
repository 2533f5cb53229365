//go:build e2e

package e2e

import (
	"context"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// TestFiguresOfConnections: what clients hold open is counted by the workers that accepted it.
func TestFiguresOfConnections(t *testing.T) {
	t.Parallel()
	at, clients := address(freePort(t)), 30
	b := launch(t, options{
		flags:   []string{"-n", "3", "-l", at},
		command: []string{guestBin(), testguest.Word, "http"},
	})
	open := func(want int) bool {
		sum := 0
		for _, w := range b.pool().Workers {
			if w.Connections == nil || w.Usage == nil { // not in its turn: counting has its bounds
				return false
			}
			if w.Usage.FDs < *w.Connections {
				t.Errorf("counted: %+v", w)
			}
			sum += *w.Connections
		}
		return sum == want
	}
	b.await("nobody has one", func() bool { return open(0) })
	var held []net.Conn
	for range clients {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		held = append(held, conn)
	}
	b.await("all connections are counted", func() bool { return open(clients) })
	for _, conn := range held {
		_ = conn.Close()
	}
	b.await("none is", func() bool { return open(0) })
	b.stop()
}

// TestFiguresOfFullQueue: a worker that is stopped shows what waits for it, and how much finds no room.
func TestFiguresOfFullQueue(t *testing.T) {
	t.Parallel()
	const backlog, clients = 4, 20
	at := address(freePort(t))
	b := launch(t, options{
		flags:   []string{"-n", "1", "-l", at + ",backlog=4"},
		command: []string{guestBin(), testguest.Word, "http"},
	})
	pid := b.pool().pids()[0]
	b.halt(pid)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for range clients {
		all.Go(func() {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
			if err != nil {
				return // it found no room
			}
			defer conn.Close()
			<-ctx.Done()
		})
	}
	b.await("the queue is full", func() bool {
		p := b.pool()
		w := p.Workers[0]
		if w.Usage == nil || w.Usage.Memory == 0 || w.Queue == nil || p.Listeners[0].Queue == nil {
			t.Fatalf("not measured: %+v", w)
		}
		// The kernel lets in one more than the backlog, and one for each further CPU that looked at the same moment.
		return w.Queue.Depth > backlog && w.Queue.Capacity == backlog && w.Queue.Drops >= clients-backlog-1 &&
			*p.Listeners[0].Queue == *w.Queue
	})
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	b.await("it is empty", func() bool { return b.pool().Workers[0].Queue.Depth == 0 })
	cancel()
	b.stop()
}

// TestFiguresOfTree: what a worker has started counts as its own. Its children outlive it by the grace.
func TestFiguresOfTree(t *testing.T) {
	b := launch(t, options{
		flags:   []string{"-n", "1", "--ready", "notify", "--grace", "100ms"},
		command: []string{guestBin(), testguest.Word, "forking", "-children", "3"},
	})
	w := b.pool().Workers[0]
	if w.Usage == nil || w.Usage.Pids != 4 || w.Usage.FDs < 4*3 || w.Usage.Memory < 4<<20 || w.Usage.CPU == 0 || w.Queue != nil || w.Connections != nil {
		t.Errorf("got %+v of %+v", w.Usage, w)
	}
}
