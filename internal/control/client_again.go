package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"syscall"
	"time"
)

const (
	// againTime is for how long a client tries again when it is cut off. In an upgrade the address never goes away: who does not
	// answer for so long has ended, or will not answer.
	againTime = 3 * time.Second
	// againPause is the least time between two attempts.
	againPause = 50 * time.Millisecond
)

// isCut reports whether there was somebody, who left without an answer, or has no room for another client.
func isCut(err error) bool {
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.EAGAIN} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// isAway reports whether it makes sense to ask again.
func isAway(err error) bool {
	return isCut(err) || errors.Is(err, ErrNoAnswer) && !errors.Is(err, fs.ErrNotExist)
}

// again opens a stream once more that its server has ended: in an upgrade the next program goes on with it. It returns nil if
// nobody is there any more: then the supervisor has ended, and the stream with it.
func (c *Client) again(ctx context.Context, path string) (*http.Response, error) {
	for until := time.Now().Add(againTime); ; {
		resp, err := c.open(ctx, http.MethodGet, path, http.NoBody)
		switch {
		case err == nil && resp.StatusCode == http.StatusOK:
			return resp, nil
		case err == nil:
			defer func() { _ = resp.Body.Close() }()
			return nil, refusal(resp)
		case isCut(err) && time.Now().Before(until):
			if err := c.pause(ctx, againPause); err != nil {
				return nil, err
			}
		case errors.Is(err, ErrNoAnswer):
			return nil, nil //nolint:nilnil // as it says
		default:
			return nil, err
		}
	}
}

// pause waits, unless ctx ends.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot wait for %s: %w", c.path, ctx.Err())
	}
}

// stream reads a stream, and goes on with the next program where it was. path says what to ask for, as of then.
// one reads an answer to its end, and reports whether there may be another one. It returns the error that ends it all.
func (c *Client) stream(ctx context.Context, path func() string, one func(*http.Response) (bool, error)) error {
	resp, err := c.open(ctx, http.MethodGet, path(), http.NoBody)
	if err == nil && resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		return refusal(resp)
	}
	for err == nil && resp != nil {
		begun, goOn := time.Now(), false
		goOn, err = one(resp)
		_ = resp.Body.Close()
		if err != nil || !goOn || resp.Trailer.Get(headerAgain) == "" {
			return err
		}
		if err := c.pause(ctx, againPause-time.Since(begun)); err != nil { // a server that ends it at once is not asked all the time
			return err
		}
		resp, err = c.again(ctx, path())
	}
	return err
}
