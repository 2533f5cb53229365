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
	"time"
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

// Logs asks for what workers have written. The sequence ends with what is kept or, if it follows, when the supervisor does; when
// another version of brood takes over it goes on. An error is its last element, as of Events.
func (c *Client) Logs(ctx context.Context, wanted LogsWanted) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		asked, heard := wanted, newHeard(time.Now())
		path := func() string { return PathLogs + "?" + asked.query() }
		err := c.stream(ctx, path, func(resp *http.Response) (bool, error) {
			for dec := json.NewDecoder(resp.Body); ; {
				var line LogLine
				err := dec.Decode(&line)
				switch {
				case errors.Is(err, io.EOF):
					asked.Since, asked.Last = heard.again(), 0
					return wanted.Follow, nil
				case err != nil:
					return false, c.failure(ctx, err)
				case wanted.Follow && !heard.isNew(&line):
				case !yield(line, nil):
					return false, nil
				}
			}
		})
		if err != nil {
			yield(LogLine{}, err)
		}
	}
}
