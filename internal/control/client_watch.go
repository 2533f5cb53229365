package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/broodctl/brood/supervisor"
)

// Watch asks for snapshots as they are published, the current one first, at most twenty a second. Who is slow misses those
// between, and is cut after ten seconds without reading. The sequence ends when the supervisor does. An error is its last
// element: ctx ended, or the stream was torn off, which wraps ErrNoAnswer. Each range over it connects anew.
func (c *Client) Watch(ctx context.Context) iter.Seq2[supervisor.Snapshot, error] {
	return func(yield func(supervisor.Snapshot, error) bool) {
		resp, err := c.open(ctx, http.MethodGet, PathWatch, http.NoBody)
		if err != nil {
			yield(supervisor.Snapshot{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			yield(supervisor.Snapshot{}, fmt.Errorf("cannot watch %s: %s", c.path, resp.Status))
			return
		}
		for dec := json.NewDecoder(resp.Body); ; {
			var snap supervisor.Snapshot
			err := dec.Decode(&snap)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(snap, c.failure(ctx, err))
				return
			}
			if !yield(snap, nil) {
				return
			}
		}
	}
}
