package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// LogsWanted says which lines a client wants.
type LogsWanted struct {
	Pool   string // "" is every pool
	Slot   *int   // nil is every slot
	Stream string // stdout or stderr; "" is both
	Since  string // a time of RFC 3339, or how long ago: "10m"; "" is all that is kept
	Last   int    // of those that are kept, at most so many; 0 is all
	Follow bool   // and those that come
}

func (l LogsWanted) query() string {
	query := url.Values{}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	set("pool", l.Pool)
	set("stream", l.Stream)
	set("since", l.Since)
	if l.Slot != nil {
		set("slot", strconv.Itoa(*l.Slot))
	}
	if l.Last > 0 {
		set("lines", strconv.Itoa(l.Last))
	}
	if l.Follow {
		set("follow", "true")
	}
	return query.Encode()
}

// Logs asks for what workers have written. The sequence ends with what is kept or, if it follows, when the supervisor does.
// An error is its last element, as of Events.
func (c *Client) Logs(ctx context.Context, wanted LogsWanted) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		resp, err := c.open(ctx, http.MethodGet, PathLogs+"?"+wanted.query(), http.NoBody)
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			yield(LogLine{}, refusal(resp))
			return
		}
		for dec := json.NewDecoder(resp.Body); ; {
			var line LogLine
			err := dec.Decode(&line)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(line, c.failure(ctx, err))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}
