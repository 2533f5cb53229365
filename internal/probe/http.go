package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"time"
)

// A worker that answers with more than this does not get the supervisor's memory.
const (
	maxHeader = 64 << 10
	maxBody   = 64 << 10
)

const userAgent = "brood-probe"

var errLongHeader = errors.New("answer with a header of more than 64 KiB")

// get asks for the path over a connection of its own. http.Client is made for many requests: its transport would be
// built for each, twice the allocations, with two goroutines that nobody waits for.
func (c Config) get(ctx context.Context, w World) error {
	conn, err := c.dial(ctx, w)
	if err != nil {
		return err
	}
	release := abort(ctx, conn)
	defer release()
	if c.TLS == Unverified {
		conn = tls.Client(conn, &tls.Config{
			ServerName:         hostName(c.host(conn)),
			InsecureSkipVerify: true, //nolint:gosec // Unverified is this; nothing secret is sent
		})
	}
	req, err := c.request(conn)
	if err != nil {
		_ = conn.Close()
		return err
	}
	resp, err := exchange(conn, req)
	if err != nil {
		_ = conn.Close()
		return cause(err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	_ = conn.Close() // first: the body's own Close would read to its end
	_ = resp.Body.Close()
	return c.judge(resp.StatusCode, body, c.whole(ctx, err))
}

// abort makes everything that waits on a connection fail when the context ends. The caller calls the returned function
// before it leaves.
func abort(ctx context.Context, conn net.Conn) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

func (c Config) request(conn net.Conn) (*http.Request, error) {
	u, err := target(c.Path)
	if err != nil {
		return nil, err
	}
	host := c.host(conn)
	header := http.Header{"User-Agent": {userAgent}, "Accept": {"*/*"}}
	seen := make(map[string]bool, len(c.Headers))
	for _, h := range c.Headers {
		name := http.CanonicalHeaderKey(h.Name)
		switch {
		case name == "Host":
			host = h.Value
		case seen[name]:
			header.Add(name, h.Value)
		default:
			header.Set(name, h.Value)
		}
		seen[name] = true
	}
	return &http.Request{Method: http.MethodGet, URL: u, Host: host, Header: header, Close: true}, nil
}

func (c Config) host(conn net.Conn) string {
	if c.Host != "" {
		return c.Host
	}
	return hostOf(conn)
}

// exchange sends the request and reads the header of the final answer.
func exchange(conn net.Conn, req *http.Request) (*http.Response, error) {
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: conn, N: maxHeader}
	buffered := bufio.NewReader(limited)
	for {
		resp, err := http.ReadResponse(buffered, req)
		switch {
		case err != nil && limited.N <= 0:
			return nil, errLongHeader
		case err != nil:
			return nil, err
		case resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols:
			limited.N = math.MaxInt64 // the body has a limit of its own
			return resp, nil
		}
		// 100 Continue, 103 Early Hints: the answer is still to come.
	}
}

// whole says how a body ended that did not end well.
func (c Config) whole(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &late{what: "no end of the body", within: c.Timeout}
	}
	return fmt.Errorf("body broke off: %w", cause(err))
}

// judge says what is wrong with an answer. A body that says "degraded" with a status that is fine, is fine.
func (c Config) judge(status int, body []byte, broken error) error {
	switch {
	case !c.Status.Has(status):
		return fmt.Errorf("status %d%s", status, bodyNote(body))
	case broken != nil:
		return broken
	case c.Body != nil && !c.Body.Match(body):
		return fmt.Errorf("status %d, but nothing matches %q%s", status, c.Body, bodyNote(body))
	}
	return nil
}

func bodyNote(body []byte) string {
	if len(body) == 0 {
		return " (no body)"
	}
	return fmt.Sprintf(" (body: %q)", excerpt(string(body[:min(len(body), maxExcerpt+1)])))
}

// hostName is the host without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
