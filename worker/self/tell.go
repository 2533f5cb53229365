package self

import (
	"fmt"
	"net"
	"os"

	"github.com/broodctl/brood/worker/handshake"
)

// Ready tells that this worker serves. A supervisor that waits for it then stops
// the predecessor, so call it last.
func Ready() error { return tell(handshake.Message{Ready: true}) }

// Status sets the line that `brood status` shows for this worker.
func Status(text string) error { return tell(handshake.Message{Status: text}) }

// Stopping tells that this worker has begun to end by its own decision.
func Stopping() error { return tell(handshake.Message{Stopping: true}) }

// Requests tells how many requests this worker has served since its start: a total,
// which the supervisor compares with the max_requests of the pool. Once a second
// is often enough. CountRequests does it for net/http.
func Requests(total uint64) error { return tell(handshake.Message{Requests: &total}) }

// tell sends one datagram. Nobody to tell is no error.
func tell(m handshake.Message) error {
	address := os.Getenv(handshake.EnvNotifySocket)
	if address == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: address})
	if err != nil {
		return fmt.Errorf("cannot reach supervisor: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write(m.Format()); err != nil {
		return fmt.Errorf("cannot tell supervisor: %w", err)
	}
	return nil
}
