package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
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

// Events asks for what happens. The sequence ends when the supervisor does, or with what there is; when another version of brood
// takes over it goes on. An error is its last element: ctx ended, or the
// stream was torn off, which wraps ErrNoAnswer. Each range over it connects anew, and does not go on where another ended.
func (c *Client) Events(ctx context.Context, wanted EventsWanted) iter.Seq2[Identified, error] {
	query := url.Values{"pool": wanted.Pools, "kind": wanted.Kinds}
	if wanted.Once {
		query.Set("follow", "false")
	}
	return func(yield func(Identified, error) bool) {
		at := wanted.After // the id of the last one
		path := func() string {
			asked := maps.Clone(query)
			if at != "" {
				asked.Set("after", at)
			}
			return PathEvents + "?" + asked.Encode()
		}
		of := "" // the life of the supervisor
		err := c.stream(ctx, path, func(resp *http.Response) (bool, error) {
			read := bufio.NewReader(resp.Body)
			for {
				e, err := readEvent(read, &at)
				begun, _, known := strings.Cut(at, "-")
				if known && of == "" {
					of = begun
				}
				switch {
				case err != nil && !errors.Is(err, io.EOF):
					return false, c.failure(ctx, err)
				case known && begun != of:
					return false, nil // another one has its name
				case err != nil:
					return known && !wanted.Once, nil
				case !yield(e, nil):
					return false, nil
				}
			}
		})
		if err != nil {
			yield(Identified{}, err)
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

// idComment says at which id a stream is.
const idComment = "the last id is "

// readEvent reads the next block of a stream that has data. at becomes the id that it is at.
func readEvent(r *bufio.Reader, at *string) (Identified, error) {
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
		case field == "" && strings.HasPrefix(value, idComment):
			*at = strings.TrimPrefix(value, idComment)
		case field == "id":
			e.ID, *at = value, value
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
