package control

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/logs"
)

// diary is what workers have written, and what they write.
type diary struct {
	kept   []logs.Line
	coming chan logs.Line
	asked  chan logs.Filter
}

func newDiary() *diary {
	d := &diary{coming: make(chan logs.Line), asked: make(chan logs.Filter, 100)}
	for i := range 3 {
		d.kept = append(d.kept, logs.Line{Time: began, Pool: "web", Slot: i, WorkerID: i, PID: 10 + i, Stream: "stderr", Text: fmt.Sprintf("line %d <b>\x1b[1m\xff", i)})
	}
	return d
}

func (d *diary) Kept(f logs.Filter) iter.Seq[logs.Line] {
	d.asked <- f
	return slices.Values(d.kept)
}

func (d *diary) Follow(ctx context.Context, f logs.Filter) iter.Seq[logs.Line] {
	return func(yield func(logs.Line) bool) {
		for l := range d.Kept(f) {
			if !yield(l) {
				return
			}
		}
		for {
			select {
			case l, ok := <-d.coming:
				if !ok || !yield(l) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func startWithLogs(t *testing.T, d *diary) *Client {
	t.Helper()
	socket, err := Listen(t.TempDir()+"/s", Access{})
	if err != nil {
		t.Fatal(err)
	}
	server := Serve(socket, newHouse(), Options{Logs: d, Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") })})
	t.Cleanup(socket.Remove)
	t.Cleanup(server.Close)
	return NewClient(socket.path)
}

func TestLogsThatAreKept(t *testing.T) {
	d := newDiary()
	client := startWithLogs(t, d)
	var texts []string
	for line, err := range client.Logs(t.Context(), LogsWanted{Pool: "web", Slot: new(2), Stream: "stderr", Last: 7, Since: "2026-03-01T09:00:00Z"}) {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, line.Text)
	}
	if !slices.Equal(texts, []string{"line 0 <b>\x1b[1m\ufffd", "line 1 <b>\x1b[1m\ufffd", "line 2 <b>\x1b[1m\ufffd"}) {
		t.Errorf("%q", texts)
	}
	if f := <-d.asked; f.Pool != "web" || *f.Slot != 2 || f.Stream != "stderr" || f.Last != 7 || !f.Since.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", f)
	}
}

func TestLogsAreFollowed(t *testing.T) {
	d := newDiary()
	client := startWithLogs(t, d)
	next, stop := iter.Pull2(client.Logs(t.Context(), LogsWanted{Follow: true}))
	defer stop()
	for i := range 6 {
		if i > 2 {
			d.coming <- logs.Line{Pool: "web", Slot: logs.NoSlot, Text: fmt.Sprint(i), Missed: 9}
		}
		line, err, ok := next()
		if err != nil || !ok || i > 2 && (line.Slot != nil || line.Missed != 9 || line.Text != fmt.Sprint(i)) {
			t.Fatalf("%+v, %v, %v", line, err, ok)
		}
	}
	close(d.coming) // as the supervisor ends
	if line, err, ok := next(); ok {
		t.Errorf("after the end: %+v, %v", line, err)
	}
}

func TestLogsThatNobodyCanMean(t *testing.T) {
	client := startWithLogs(t, newDiary())
	for _, query := range []string{"slot=-1", "slot=x", "lines=0", "lines=x", "since=yesterday", "since=-10m", "follow=perhaps", "pool=web&pool=mail", "stream=both", "streams=stdout"} {
		if got := get[Failure](t, client, PathLogs+"?"+query, 400); got.Code != CodeBadRequest {
			t.Errorf("%s: %+v", query, got)
		}
	}
	if got := get[Failure](t, client, PathLogs+"?pool=nosuch", 404); got.Code != CodeNoPool {
		t.Errorf("%+v", got)
	}
	none := start(t, newHouse())
	for _, path := range []string{PathLogs, PathMetrics} {
		if got := get[Failure](t, none, path, 404); got.Code != CodeNotFound {
			t.Errorf("%+v", got)
		}
	}
}

func TestReadersOfLogsAreFew(t *testing.T) {
	d := newDiary()
	client := startWithLogs(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range mostLogReaders {
		next, stop := iter.Pull2(client.Logs(ctx, LogsWanted{Follow: true}))
		defer stop()
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(err, ok)
		}
	}
	if got := get[Failure](t, client, PathLogs, 429); got.Code != CodeTooMany {
		t.Errorf("%+v", got)
	}
	all := newPlaces(1)
	root, other := all.of(identified{}), all.of(identified{caller: caller{uid: 1 << 20}})
	if root == other || all.of(identified{caller: caller{uid: os.Geteuid()}}) != root || all.of(identified{from: "127.0.0.1:1"}) != other {
		t.Error("others can keep root out")
	}
}

func TestMetricsArePassedOn(t *testing.T) {
	resp, err := startWithLogs(t, newDiary()).open(t.Context(), http.MethodGet, PathMetrics, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "up 1\n" {
		t.Errorf("%s, %v", text, err)
	}
}

func FuzzQueries(f *testing.F) {
	for _, s := range []string{"pool=web&slot=1", "slot=-1", "since=10m&lines=5", "after=1-2", "after=17", "follow=true", "%zz", "wait_seconds=NaN", ";"} {
		f.Add(s)
	}
	a := testAPI()
	f.Fuzz(func(t *testing.T, s string) {
		values, err := url.ParseQuery(s)
		if err != nil {
			values = nil
		}
		for _, rt := range a.routes() {
			if rt.checkQuery(s) != nil {
				continue
			}
			for name := range values {
				if !slices.Contains(rt.query, name) {
					t.Errorf("%s took %q", rt.path, name)
				}
			}
		}
		if filter, _, err := readLogFilter(values, began); err == nil && (filter.Last < 0 || filter.Slot != nil && *filter.Slot < 0) {
			t.Errorf("took %+v", filter)
		}
		if c, err := readCursor(s); err == nil && c.life != "" {
			if again, err := readCursor(c.String()); err != nil || again != c {
				t.Errorf("%q is %+v and then %+v, %v", s, c, again, err)
			}
		}
		if sig, err := parseSignal(s); err == nil && (sig < 1 || sig > 64 || strings.ContainsAny(s, "\n")) {
			t.Errorf("%q is signal %d", s, sig)
		}
	})
}
