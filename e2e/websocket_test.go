//go:build e2e

package e2e

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// The kinds of frames that the tests meet.
const (
	textFrame  = 0x1
	closeFrame = 0x8
)

// webSocket is a connection as RFC 6455 has it, as far as an echo takes it. It belongs
// to one goroutine.
type webSocket struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
}

// dialWebSocket opens one, which is closed with the test.
func dialWebSocket(t *testing.T, address, path string) *webSocket {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	w := &webSocket{t: t, conn: conn, reader: bufio.NewReader(conn)}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	response, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close() // there is none: what follows are frames
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no WebSocket: %s", response.Status)
	}
	return w
}

// ask sends a short text and gives the answer, or the code with which the other side
// closes.
func (w *webSocket) ask(text string) (answer string, code int, err error) {
	mask := []byte{0, 0, 0, 0} // a client has to have one
	if _, err := w.conn.Write(append(append([]byte{0x80 | textFrame, 0x80 | byte(len(text))}, mask...), text...)); err != nil {
		return "", 0, err
	}
	var head [2]byte
	if _, err := io.ReadFull(w.reader, head[:]); err != nil {
		return "", 0, err
	}
	payload := make([]byte, head[1]&0x7f) // of less than 126 bytes
	if _, err := io.ReadFull(w.reader, payload); err != nil {
		return "", 0, err
	}
	switch kind := head[0] & 0xf; {
	case kind == textFrame:
		return string(payload), 0, nil
	case kind == closeFrame && len(payload) >= 2:
		return "", int(binary.BigEndian.Uint16(payload)), nil
	default:
		return "", 0, fmt.Errorf("a frame of kind %d: %q", kind, payload)
	}
}

// conversation is what became of a WebSocket.
type conversation struct {
	code int       // with which it was closed
	last time.Time // when there was an answer
	err  error
}

// converse asks again and again until it is closed.
func (w *webSocket) converse() <-chan conversation {
	end := make(chan conversation, 1)
	go func() { // ends with the connection
		var all conversation
		pause := time.NewTicker(50 * time.Millisecond)
		defer pause.Stop()
		for all.code == 0 && all.err == nil {
			<-pause.C
			var answer string
			if answer, all.code, all.err = w.ask("hello"); answer != "" {
				all.last = time.Now()
			}
		}
		end <- all
	}()
	return end
}
