package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// EventsWanted says which events a client wants.
type EventsWanted struct {
	After string   // the id of the last one that it has; "0" is all that are kept, "" those from now on
	Pools []string // all of them if empty
	Kinds []string
	Once  bool // end with those that are kept
}

// Identified is an event with its id in the stream, which EventsWanted.After takes.
type Identified struct {
	ID string
	Event
}

// Events asks for what happens. The sequence ends when the supervisor does, or with what there is. An error is its last element: ctx ended, or the
// stream was torn off, which wraps ErrNoAnswer. Each range over it connects anew, and does not go on where another ended.
func (c *Client) Events(ctx context.Context, wanted EventsWanted) iter.Seq2[Identified, error] {
	query := url.Values{"pool": wanted.Pools, "kind": wanted.Kinds}
	if wanted.After != "" {
		query.Set("after", wanted.After)
	}
	if wanted.Once {
		query.Set("follow", "false")
	}
	return func(yield func(Identified, error) bool) {
		resp, err := c.open(ctx, http.MethodGet, PathEvents+"?"+query.Encode(), http.NoBody)
		if err != nil {
			yield(Identified{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			yield(Identified{}, refusal(resp))
			return
		}
		read := bufio.NewReader(resp.Body)
		for {
			e, err := readEvent(read)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(e, c.failure(ctx, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// refusal is the error of an answer that is none.
func refusal(resp *http.Response) error {
	var f Failure
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		return &RefusedError{Text: resp.Status}
	}
	return &RefusedError{Text: f.Error, Code: f.Code, Help: f.Hint}
}

// readEvent reads the next block of a stream that has data.
func readEvent(r *bufio.Reader) (Identified, error) {
	var e Identified
	data := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case field == "id":
			e.ID = value
		case field == "data":
			data = value
		case line == "" && data != "":
			if err := json.Unmarshal([]byte(data), &e.Event); err != nil {
				return e, fmt.Errorf("cannot read event %s: %w", e.ID, err)
			}
			return e, nil
		}
	}
}
