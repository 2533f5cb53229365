package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// samples are requests that make sense, by path.
func samples() map[string]string {
	return map[string]string{
		PathPools + "/{pool}": PathPools + "/web", PathOperations + "/{id}": PathOperations + "/op-1", PathFleets + "/{fleet}": PathFleets + "/web",
		PathEvents:  PathEvents + "?after=0",
		"/v1/scale": `{"workers": 3}`, "/v1/restart": `{"pool": "web", "slot": 1}`, "/v1/signal": `{"pool": "web", "signal": "HUP", "force": true}`,
	}
}

// Every route answers over a real socket what it says that it gives, and nothing beside it.
func TestEveryRouteGivesWhatItSays(t *testing.T) {
	h := newHouse()
	h.verdict = supervisor.Verdict{Text: "done", Data: json.RawMessage(`{"empty": true}`)}
	h.feed.Add(events.Event{Kind: events.Death, Pool: "web", Slot: new(0), Cause: "oom"})
	socket, err := Listen(t.TempDir()+"/s", Access{})
	if err != nil {
		t.Fatal(err)
	}
	server := Serve(socket, h, Options{Logs: newDiary(), Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `"up"`) })})
	defer socket.Remove()
	defer server.Close()
	client := NewClient(socket.path)
	if _, err := client.Do(t.Context(), supervisor.Roll, Body{}, time.Minute); err != nil { // which is op-1
		t.Fatal(err)
	}
	for _, rt := range server.api.routes() {
		t.Run(rt.method+" "+rt.path, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			path, body := rt.path, samples()[rt.path]
			if rt.method == http.MethodGet && body != "" {
				path, body = body, ""
			}
			resp, err := client.open(ctx, rt.method, path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := firstPiece(resp)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s, %v: %s", resp.Status, err, text)
			}
			into := reflect.New(reflect.TypeOf(rt.gives))
			dec := json.NewDecoder(bytes.NewReader(text))
			dec.DisallowUnknownFields()
			if err := dec.Decode(into.Interface()); err != nil {
				t.Errorf("%v in %s", err, text)
			}
		})
	}
}

// firstPiece is the answer, or of a stream the first piece of it.
func firstPiece(resp *http.Response) ([]byte, error) {
	switch resp.Header.Get("Content-Type") {
	case "text/event-stream":
		e, err := readEvent(bufio.NewReader(resp.Body), new(string))
		text, bad := json.Marshal(e.Event)
		return text, errors.Join(err, bad)
	case "application/x-ndjson":
		return bufio.NewReader(resp.Body).ReadBytes('\n')
	}
	return io.ReadAll(resp.Body)
}

// Whatever comes, the answer is one of the API, and only what is asked for in the right way reaches the supervisor.
func FuzzRequests(f *testing.F) {
	for _, path := range []string{"/v1/roll", "/v1/scale", "/v1/pools/web", "/v1/operations/op-1?wait_seconds=0", "/v1/workers?slot=1", "/v1/logs?lines=2", "/v1/../x", "/v1/signal"} {
		f.Add(true, path, `{"pool": "web", "signal": "USR1", "slot": 1}`)
		f.Add(false, path, "")
	}
	f.Fuzz(func(t *testing.T, isPost bool, target, body string) {
		method := http.MethodGet
		if isPost {
			method = http.MethodPost
		}
		r, err := http.NewRequest(method, "http://brood", strings.NewReader(body))
		if err != nil {
			return
		}
		path, query, _ := strings.Cut(target, "?")
		r.URL.Path, r.URL.RawQuery = "/"+strings.TrimPrefix(path, "/"), query
		if body == "" {
			r.Body, r.ContentLength = http.NoBody, 0
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // streams end at once
		h := newHouse()
		a := &api{
			sup: h, start: "1", streams: newStreams(), ops: newOperations(h), brief: newPlaces(1), logReaders: newPlaces(1),
			sources: Options{Logs: &diary{asked: make(chan logs.Filter, 1)}},
		}
		a.watchers = newWatchers(h, a.streams)
		defer a.ops.end()
		w := httptest.NewRecorder()
		sensible(a.handler()).ServeHTTP(w, r.WithContext(context.WithValue(ctx, callerKey{}, identified{may: mayWrite})))
		var failure Failure
		if w.Code >= http.StatusBadRequest && (json.Unmarshal(w.Body.Bytes(), &failure) != nil || failure.Code == "" || failure.Error == "") {
			t.Errorf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
		if !isPost && len(h.asked) > 0 {
			t.Errorf("%s %q asked for %+v", method, target, h.asked)
		}
	})
}
