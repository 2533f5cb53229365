package testguest

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// A guest that serves one connection at a time leaves the next one alone until the
// first has ended.
func TestSerial(t *testing.T) {
	r := start(t, "http -serial")
	var both [2]net.Conn
	for i := range both {
		conn, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		both[i] = conn
	}
	answer := func(conn net.Conn, within time.Duration) error {
		_ = conn.SetReadDeadline(time.Now().Add(within))
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	if err := answer(both[0], time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := answer(both[1], 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a second connection was served beside the first: %v", err)
	}
	both[0].Close()
	if err := answer(both[1], time.Minute); err != nil {
		t.Error(err)
	}
}
