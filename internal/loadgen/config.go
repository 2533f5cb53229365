package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Reuse says how long a connection lives.
type Reuse uint8

const (
	PerRequest Reuse = iota // a new connection for each request, "Connection: close"
	KeepAlive               // each client keeps its connection until somebody closes it
)

// DialFunc opens a connection, for example in another network namespace.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Config describes a load. The zero value of a field means the default beside it.
type Config struct {
	Network string   // "tcp"; or "unix"
	Address string   // host:port, or the path of a unix socket
	Dial    DialFunc // a net.Dialer
	Host    string   // the Host header: "localhost"
	Path    string   // "/"
	Reuse   Reuse    // PerRequest

	Clients int     // requests in flight at most: 1 in a closed loop, 64 in an open one
	Rate    float64 // requests per second; 0 = closed loop

	Samples int // failures to describe in words: 10

	Requests int           // stop after so many requests; 0 = no bound in count
	Duration time.Duration // stop after so long; 0 = no bound in time
	Timeout  time.Duration // of one request, dialling included: 5 s
	Think    time.Duration // a closed loop's pause between answer and next request
}

// errUnbounded: a load that nobody stops would outlive a failed test.
var errUnbounded = errors.New("neither Requests nor Duration bounds the load")

func (c Config) withDefaults() (Config, error) {
	if c.Address == "" {
		return c, errors.New("cannot start load: no address")
	}
	if c.Requests <= 0 && c.Duration <= 0 {
		return c, fmt.Errorf("cannot start load on %s: %w", c.Address, errUnbounded)
	}
	if c.Rate < 0 || c.Clients < 0 {
		return c, fmt.Errorf("cannot start load on %s: negative rate or clients", c.Address)
	}
	if c.Network == "" {
		c.Network = "tcp"
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Host == "" {
		c.Host = "localhost"
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Samples == 0 {
		c.Samples = 10
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Clients == 0 {
		c.Clients = 1
		if c.Rate > 0 {
			c.Clients = 64
		}
	}
	return c, nil
}
