package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Watch asks for snapshots as they are published, the current one first, at most twenty a second. Who is slow misses those
// between, and is cut after ten seconds without reading. The sequence ends when the supervisor does, and goes on when another
// version of brood takes over. An error is its last
// element: ctx ended, or the stream was torn off, which wraps ErrNoAnswer. Each range over it connects anew.
func (c *Client) Watch(ctx context.Context) iter.Seq2[supervisor.Snapshot, error] {
	return func(yield func(supervisor.Snapshot, error) bool) {
		var of *life
		err := c.stream(ctx, func() string { return PathWatch }, func(resp *http.Response) (bool, error) {
			dec := json.NewDecoder(resp.Body)
			for isFirst := of != nil; ; isFirst = false {
				var snap supervisor.Snapshot
				err := dec.Decode(&snap)
				switch {
				case errors.Is(err, io.EOF):
					return of != nil, nil
				case err != nil:
					return false, c.failure(ctx, err)
				case isFirst && !of.has(&snap) || !yield(snap, nil): // another one has its name, or enough has been seen
					return false, nil
				}
				of = lifeOf(&snap)
			}
		})
		if err != nil {
			yield(supervisor.Snapshot{}, err)
		}
	}
}

// life tells one run of a supervisor from others. An upgrade is no end of it.
type life struct {
	pid     int
	started time.Time
}

func lifeOf(snap *supervisor.Snapshot) *life { return &life{snap.PID, snap.Started} }

func (l *life) has(snap *supervisor.Snapshot) bool {
	return l.pid == snap.PID && l.started.Equal(snap.Started)
}
