package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// ErrNoAnswer means that no supervisor answers on the socket.
var ErrNoAnswer = errors.New("no supervisor answers")

// ErrRefused means that the supervisor answered and did not do what was asked for.
var ErrRefused = errors.New("request failed")

// Client speaks to one supervisor.
type Client struct {
	path string
	http *http.Client
}

// NewClient prepares a client for the socket at path. It connects anew for each request.
func NewClient(path string) *Client {
	c := &Client{path: path}
	c.http = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
	}}
	return c
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", c.path)
}

// Path is the socket's.
func (c *Client) Path() string { return c.path }

// Status asks for the snapshot. Like the other methods it returns an error that wraps ErrNoAnswer when nobody listens, and a
// *DeniedError when this user may not ask.
func (c *Client) Status(ctx context.Context) (supervisor.Snapshot, error) {
	var snap supervisor.Snapshot
	_, err := c.roundTrip(ctx, http.MethodGet, PathStatus, nil, &snap)
	return snap, err
}

// Do asks for something, and waits up to wait for its end, but no longer than the 24 hours that a server grants. Another version
// of brood that takes over meanwhile changes nothing. A refusal is an error that wraps ErrRefused; the result
// then has the last lines of the worker that is to blame.
func (c *Client) Do(ctx context.Context, verb supervisor.Verb, body Body, wait time.Duration) (Result, error) {
	wait = min(wait, maxWait)
	body.Wait = wait.Seconds()
	var result Result
	begin := time.Now()
	code, err := c.roundTrip(ctx, http.MethodPost, PathVerb+string(verb), body, &result)
	switch {
	case err != nil:
		return result, err
	case code == http.StatusAccepted && wait > 0 && result.Operation != "":
		return c.finish(ctx, verb, result.Operation, wait-time.Since(begin))
	case code >= http.StatusBadRequest:
		return result, &RefusedError{Text: result.Error, Code: result.Code, Help: result.Hint}
	}
	return result, result.refusal()
}

// refusal is the error of a result; nil if it is a success.
func (r *Result) refusal() error {
	if r.Error == "" {
		return nil
	}
	return &RefusedError{Text: r.Error, Code: r.Code, Help: r.Hint}
}

// RefusedError is the supervisor's own word about why it did not do it.
type RefusedError struct {
	Text string
	Code Code
	Help string // what may help; "" is nothing
}

func (e *RefusedError) Error() string { return e.Text }

// Hint is what may help.
func (e *RefusedError) Hint() string { return e.Help }

// Unwrap makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Unwrap() error { return ErrRefused }

func (c *Client) roundTrip(ctx context.Context, method, path string, body, into any) (int, error) {
	var sent io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, fmt.Errorf("cannot write request: %w", err)
		}
		sent = bytes.NewReader(b)
	}
	resp, err := c.open(ctx, method, path, sent)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return resp.StatusCode, fmt.Errorf("cannot read the answer of %s (%s): %w", c.path, resp.Status, err)
	}
	return resp.StatusCode, nil
}

// open sends a request and returns the answer, whose body the caller closes.
func (c *Client) open(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://brood"+path, body)
	if err != nil {
		return nil, fmt.Errorf("cannot make request: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.failure(ctx, err)
	}
	if resp.StatusCode == http.StatusForbidden {
		defer func() { _ = resp.Body.Close() }()
		denied := &DeniedError{Path: c.path, Err: fs.ErrPermission}
		if no, ok := errors.AsType[*RefusedError](refusal(resp)); ok {
			denied.Code, denied.Text = no.Code, no.Text
		}
		return nil, denied
	}
	return resp, nil
}

// failure says why there was no answer.
func (c *Client) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("cannot wait for %s: %w", c.path, ctx.Err())
	}
	if errors.Is(err, fs.ErrPermission) {
		return &DeniedError{Path: c.path, Err: err}
	}
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = of.Err // the address is one of ours, and tells people nothing
	}
	return fmt.Errorf("%w on %s: %w", ErrNoAnswer, c.path, err)
}
