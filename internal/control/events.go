package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor/events"
)

// eventsPulse is how often a stream of events says that it is there, so that a client that is gone is found.
const eventsPulse = 15 * time.Second

// eventsBatch is how many events are written at once: the feed is locked while they are taken.
const eventsBatch = 256

// KindMissed is the kind of an event of the stream alone: how many others its reader has missed.
const KindMissed events.Kind = "missed"

// Event is one of the supervisor, or tells what was missed.
type Event struct {
	events.Event
	Missed uint64 `json:"missed,omitempty"` // that are not kept any more
}

// cursor is a place in the events of one life of a supervisor: "<start>-<n>", where start is when it began, in milliseconds
// of Unix time, and n the number of the last event that was read.
type cursor struct {
	life string
	n    uint64
}

func (c cursor) String() string { return c.life + "-" + strconv.FormatUint(c.n, 10) }

// readCursor reads a cursor, or a number alone, which is of the supervisor that is asked.
func readCursor(word string) (cursor, error) {
	life, number, hasLife := strings.Cut(word, "-")
	if !hasLife {
		life, number = "", word
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || hasLife && life == "" || strings.Trim(life, "0123456789") != "" {
		return cursor{}, fmt.Errorf("cannot read the id %q of an event: it is a number, or START-NUMBER as in the stream", word)
	}
	return cursor{life: life, n: n}, nil
}

// eventFilter says which events a client wants. What concerns all pools concerns each.
type eventFilter struct{ pools, kinds []string }

func (f eventFilter) wants(e *events.Event) bool {
	return (e.Pool == "" || wants(f.pools, e.Pool)) && wants(f.kinds, string(e.Kind))
}

// events streams what happens from now on, or after an event that the client has seen.
func (a *api) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	filter := eventFilter{pools: query["pool"], kinds: query["kind"]}
	for _, kind := range filter.kinds {
		if !slices.Contains(events.Kinds(), events.Kind(kind)) {
			refuse(w, http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("there is no kind of event %q (there is: %v)", kind, events.Kinds()))
			return
		}
	}
	feed, from := a.sup.Events(), cursor{life: a.start}
	word := r.Header.Get("Last-Event-ID")
	if word == "" {
		word = query.Get("after")
	}
	if word == "" {
		from.n = feed.Last()
	} else {
		after, err := readCursor(word)
		if err != nil {
			refuse(w, http.StatusBadRequest, CodeBadRequest, err.Error())
			return
		}
		if after.life == "" || after.life == from.life { // else it is of another life, and all that is kept follows it
			from.n = after.n
		}
	}
	follow := query.Get("follow")
	if follow != "" && follow != "true" && follow != "false" {
		refuse(w, http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("cannot read follow %q: it is true or false", follow))
		return
	}
	s := &eventStream{
		streams: a.streams, feed: feed, at: from, filter: filter, once: follow == "false",
		isGlance: callerIn(r.Context()).may == mayGlance,
	}
	s.run(w, r)
}

// eventStream is what one client reads.
type eventStream struct {
	streams *streams
	feed    *events.Feed
	at      cursor // what it has, or did not want
	filter  eventFilter
	once    bool // it ends with what there is
	// isGlance leaves out what workers wrote.
	isGlance bool
}

func (s *eventStream) run(w http.ResponseWriter, r *http.Request) {
	over := s.streams.over()
	rc := s.streams.begin(w, "text/event-stream")
	defer s.streams.leave(rc)
	pulse := time.NewTicker(eventsPulse)
	defer pulse.Stop()
	piece := s.place()
	for {
		if len(piece) > 0 {
			if err := s.streams.send(w, rc, piece); err != nil {
				return
			}
		}
		select { // what is there already goes first, also at the end
		case <-s.feed.Changed(s.at.n):
			piece = s.next()
			continue
		default:
		}
		if s.once {
			return
		}
		select {
		case <-s.feed.Changed(s.at.n):
			piece = s.next()
		case <-pulse.C:
			piece = []byte(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-over:
			comeAgain(w)
			_ = s.streams.send(w, rc, s.place()) // so that who wants few of them knows where to go on
			return
		}
	}
}

// place is a comment that says how far the stream has come.
func (s *eventStream) place() []byte { return []byte(": " + idComment + s.at.String() + "\n\n") }

// next is the next events as they are to be written; empty if the client wants none of them.
func (s *eventStream) next() []byte {
	news, missed := s.feed.Next(s.at.n, eventsBatch)
	var text []byte
	if missed > 0 {
		text = s.append(text, "", Event{Event: events.Event{Kind: KindMissed, Time: time.Now()}, Missed: missed})
	}
	for i := range news {
		s.at.n = news[i].ID
		if s.filter.wants(&news[i]) {
			text = s.append(text, s.at.String(), Event{Event: news[i]})
		}
	}
	return text
}

func (s *eventStream) append(text []byte, id string, e Event) []byte {
	if s.isGlance {
		e.Lines = nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return text // there is none: it is of plain values
	}
	if id != "" {
		text = append(text, "id: "+id+"\n"...)
	}
	return fmt.Appendf(text, "event: %s\ndata: %s\n\n", e.Kind, line)
}
