package self

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/broodctl/brood/worker/handshake"
)

// Ready tells that this worker serves. A supervisor that waits for it then stops
// the predecessor, so call it last.
func Ready() error { return tell(handshake.Message{Ready: true}) }

// Status sets the line that `brood status` shows for this worker.
func Status(text string) error { return tell(handshake.Message{Status: text}) }

// Stopping tells that this worker has begun to end by its own decision.
func Stopping() error { return tell(handshake.Message{Stopping: true}) }

// Alive resets the watchdog: see WatchdogInterval.
func Alive() error { return tell(handshake.Message{Watchdog: true}) }

// WatchdogInterval is how often the supervisor wants to hear Alive at least; 0 if
// it does not. Call Alive twice as often, and only from where work is done: a
// goroutine that does nothing else proves nothing.
func WatchdogInterval() time.Duration {
	if pid := os.Getenv(handshake.EnvWatchdogPID); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(number(handshake.EnvWatchdogUsec, 0)) * time.Microsecond
}

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
