package worker_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/broodctl/brood/worker"
)

// A connection that waits in the queue is nobody's; one that was accepted is its process's until that closes it.
func TestConnectionsAreThoseThatWereAccepted(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	check := func(want int) []uint64 {
		t.Helper()
		found, err := worker.Connections(os.Getpid(), port)
		if err != nil || len(found) != want {
			t.Fatalf("%v, %v, want %d", found, err, want)
		}
		return found
	}
	var before []uint64
	for range 2 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		check(0)
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		now := check(1)
		if before != nil && now[0] == before[0] {
			t.Errorf("two connections are %v", now)
		}
		before = now
		_ = accepted.Close()
	}
}

func TestDoing(t *testing.T) {
	if got := worker.Doing(os.Getpid()); !strings.HasPrefix(got, "state ") {
		t.Errorf("of ourselves: %s", got)
	}
	if got := worker.Doing(nobody); got != "gone" {
		t.Errorf("of nobody: %s", got)
	}
}
