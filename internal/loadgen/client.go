package loadgen

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"
)

// client sends one request after the other; it belongs to one goroutine.
type client struct {
	cfg     Config
	request []byte
	conn    net.Conn // nil unless kept from the last request
	reader  *bufio.Reader
}

// answer is what one request led to.
type answer struct {
	outcome Outcome
	status  int
	worker  Worker
	local   string // of a failure
	err     error
}

func newClient(cfg Config) *client {
	connection := "close"
	if cfg.Reuse == KeepAlive {
		connection = "keep-alive"
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: loadgen\r\nConnection: %s\r\n\r\n",
		cfg.Path, cfg.Host, connection)
	return &client{cfg: cfg, request: []byte(request), reader: bufio.NewReaderSize(nil, maxLine)}
}

// do sends one request and reads the whole response. The deadline covers all of
// it; when ctx ends first the outcome is Aborted.
func (c *client) do(ctx context.Context) answer {
	deadline := time.Now().Add(c.cfg.Timeout)
	if c.conn != nil && gone(c.conn) {
		c.close()
	}
	reused := c.conn != nil
	if !reused {
		if err := c.dial(ctx, deadline); err != nil {
			return c.verdict(ctx, classify(err), err)
		}
	}
	// A deadline in the past wakes reads and writes; closing would race with reuse.
	conn := c.conn
	disarm := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer disarm()
	if err := conn.SetDeadline(deadline); err != nil || ctx.Err() != nil {
		c.close()
		return c.verdict(ctx, Other, err)
	}

	if _, err := conn.Write(c.request); err != nil {
		return c.lost(ctx, orReused(classify(err), reused), err)
	}
	if _, err := c.reader.Peek(1); err != nil {
		return c.lost(ctx, orReused(classify(err), reused), err)
	}
	resp, err := readResponse(c.reader)
	if err != nil {
		return c.lost(ctx, classify(err), err)
	}
	if c.cfg.Reuse == PerRequest || resp.closes {
		c.close()
	}
	if resp.status >= 400 {
		return answer{outcome: Status, status: resp.status, worker: resp.worker, err: fmt.Errorf("status %d", resp.status)}
	}
	return answer{outcome: OK, status: resp.status, worker: resp.worker}
}

// orReused applies where no byte of the response has been read yet.
func orReused(o Outcome, reused bool) Outcome {
	if reused && o.ended() {
		return Reused
	}
	return o
}

// lost is the verdict about a connection that failed, which is closed.
func (c *client) lost(ctx context.Context, o Outcome, err error) answer {
	a := c.verdict(ctx, o, err)
	a.local = c.conn.LocalAddr().String()
	c.close()
	return a
}

func (c *client) verdict(ctx context.Context, o Outcome, err error) answer {
	if ctx.Err() != nil {
		return answer{outcome: Aborted, worker: nobody}
	}
	return answer{outcome: o, worker: nobody, err: err}
}

func (c *client) dial(ctx context.Context, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := c.cfg.Dial(ctx, c.cfg.Network, c.cfg.Address)
	if err != nil {
		return fmt.Errorf("cannot dial %s: %w", c.cfg.Address, err)
	}
	c.conn = conn
	c.reader.Reset(conn)
	return nil
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is left to lose: the verdict is in
		c.conn = nil
	}
}
