package control

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/events"
)

// follow reads events one by one.
func followEvents(t *testing.T, client *Client, wanted EventsWanted) func() Identified {
	t.Helper()
	next, stop := iter.Pull2(client.Events(t.Context(), wanted))
	t.Cleanup(stop)
	return func() Identified {
		t.Helper()
		e, err, ok := next()
		if err != nil || !ok {
			t.Fatalf("%v, %v", err, ok)
		}
		return e
	}
}

func TestEventsAreResumed(t *testing.T) {
	h := newHouse()
	client := start(t, h)
	for _, pool := range []string{"web", "mail", "web", ""} {
		h.feed.Add(events.Event{Kind: events.Worker, Pool: pool})
	}
	h.feed.Add(events.Event{Kind: events.Scale, Pool: "web"})
	for name, tt := range map[string]struct {
		wanted EventsWanted
		ids    string
	}{
		"all":                 {EventsWanted{After: "0"}, "1 2 3 4 5"},
		"by number":           {EventsWanted{After: "3"}, "4 5"},
		"by id":               {EventsWanted{After: "1700000000123-3"}, "4 5"},
		"of another life":     {EventsWanted{After: "1600000000123-3"}, "1 2 3 4 5"},
		"from the future":     {EventsWanted{After: "1700000000123-99"}, "1 2 3 4 5"},
		"of a pool":           {EventsWanted{After: "0", Pools: []string{"web"}}, "1 3 4 5"},
		"of two pools":        {EventsWanted{After: "0", Pools: []string{"web", "mail"}}, "1 2 3 4 5"},
		"of a kind":           {EventsWanted{After: "0", Kinds: []string{"scale"}}, "5"},
		"of a kind of a pool": {EventsWanted{After: "0", Kinds: []string{"scale", "worker"}, Pools: []string{"mail"}}, "2 4"},
	} {
		t.Run(name, func(t *testing.T) {
			next := followEvents(t, client, tt.wanted)
			for id := range strings.SplitSeq(tt.ids, " ") {
				if e := next(); e.ID != "1700000000123-"+id {
					t.Errorf("id %s, want %s", e.ID, id)
				}
			}
		})
	}
}

func TestEventsFromNowOn(t *testing.T) {
	h := newHouse()
	client := start(t, h)
	h.feed.Add(events.Event{Kind: events.Worker})
	resp, err := client.open(t.Context(), http.MethodGet, PathEvents, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); err != nil || first != ": the last id is 1700000000123-1\n" {
		t.Fatal(first, err)
	}
	h.feed.Add(events.Event{Kind: events.Scale, Pool: "web"})
	if e, err := readEvent(lines, new(string)); err != nil || e.ID != "1700000000123-2" || e.Kind != events.Scale {
		t.Errorf("%+v, %v", e, err)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %s", got)
	}
}

func TestEventsThatWereMissed(t *testing.T) {
	h := newHouse()
	client := start(t, h)
	for range events.Kept + 10 {
		h.feed.Add(events.Event{Kind: events.Worker})
	}
	next := followEvents(t, client, EventsWanted{After: "3"})
	if e := next(); e.Kind != KindMissed || e.Missed != 7 || e.ID != "" {
		t.Errorf("%+v", e)
	}
	for want := uint64(11); want <= events.Kept+10; want++ {
		if e := next(); e.Event.Event.ID != want {
			t.Fatalf("%d, want %d", e.Event.Event.ID, want)
		}
	}
}

func TestEventsEndWithTheSupervisor(t *testing.T) {
	h := newHouse()
	server, client := serve(t, h)
	next, stop := iter.Pull2(client.Events(t.Context(), EventsWanted{After: "0"}))
	defer stop()
	h.feed.Add(events.Event{Kind: events.Worker})
	if _, err, ok := next(); err != nil || !ok {
		t.Fatal(err, ok)
	}
	h.feed.Add(events.Event{Kind: events.State, State: "stopping"})
	server.Close()
	if e, err, ok := next(); err != nil || !ok || e.State != "stopping" {
		t.Errorf("the last words: %+v, %v, %v", e, err, ok)
	}
	if e, err, ok := next(); ok {
		t.Errorf("after the end: %+v, %v", e, err)
	}
}

func TestEventsThatNobodyCanMean(t *testing.T) {
	client := start(t, newHouse())
	for _, query := range []string{"after=x", "after=-1", "after=1-", "after=-", "after=x-1", "after=1-2-3", "kind=odd", "after=99999999999999999999"} {
		if got := get[Failure](t, client, PathEvents+"?"+query, 400); got.Code != CodeBadRequest {
			t.Errorf("%s: %+v", query, got)
		}
	}
	for _, err := range client.Events(t.Context(), EventsWanted{After: "x"}) {
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Code != CodeBadRequest {
			t.Errorf("%v", err)
		}
	}
}

// recorded is a client that reads, and has a clock of the bubble.
type recorded struct{ *httptest.ResponseRecorder }

func (recorded) SetWriteDeadline(time.Time) error { return nil }

func TestEventsSayThatTheyAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*eventsPulse+time.Second)
		defer cancel()
		s := &eventStream{streams: newStreams(), feed: events.NewFeed(), at: cursor{life: "1"}}
		w := recorded{httptest.NewRecorder()}
		s.run(w, httptest.NewRequestWithContext(ctx, http.MethodGet, PathEvents, nil))
		text, _ := io.ReadAll(w.Body)
		if got := strings.Count(string(text), ": still here\n\n"); got != 3 {
			t.Errorf("%d comments: %s", got, text)
		}
	})
}

func TestStalledReaderOfEventsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &eventStream{streams: newStreams(), feed: events.NewFeed(), at: cursor{life: "1"}}
		begin := time.Now()
		s.run(&stalled{ResponseWriter: httptest.NewRecorder()}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, PathEvents, nil))
		if took := time.Since(begin); took != streamPatience || len(s.streams.all) > 0 {
			t.Errorf("after %s, %d left", took, len(s.streams.all))
		}
	})
}

func TestEventsEndWithWhatIsKept(t *testing.T) {
	h := newHouse()
	client := start(t, h)
	for range 2*eventsBatch + 1 {
		h.feed.Add(events.Event{Kind: events.Worker})
	}
	for after, want := range map[string]int{"0": 2*eventsBatch + 1, "512": 1, "513": 0, "": 0} {
		seen := 0
		for _, err := range client.Events(t.Context(), EventsWanted{After: after, Once: true}) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
		}
		if seen != want {
			t.Errorf("after %q: %d, want %d", after, seen, want)
		}
	}
}
