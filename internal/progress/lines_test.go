package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
)

func TestPlain(t *testing.T) {
	golden(t, "plain-good.txt", told(goodRollout(), Options{Form: Plain}, Verdict{Outcome: Done, Text: "done"}))
	golden(t, "plain-bad.txt", told(badRollout(), Options{Form: Plain}, Verdict{Outcome: Failed, Text: "no"}))
}

func TestJSON(t *testing.T) {
	golden(t, "good.ndjson", told(goodRollout(), Options{Form: JSON}, Verdict{Outcome: Done, Text: "pool web is at generation 2"}))
	golden(t, "bad.ndjson", told(badRollout(), Options{Form: JSON}, Verdict{Outcome: Failed, Text: "no", Lines: []string{"no table"}}))
}

// Every field of the JSON events is on the page about the API.
func TestFieldsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	story := append(badRollout(), moment{5 * time.Second, reloading(reloadReverting, "no")})
	written := told(story, Options{Form: JSON}, Verdict{Outcome: Left, Text: "it goes on", Lines: []string{"x"}})
	for text := range strings.Lines(written) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for name := range fields {
			if !bytes.Contains(page, []byte("`"+name+"`")) {
				t.Errorf("docs/api.md does not explain the field %s of %s", name, text)
			}
		}
	}
	for _, kind := range []Kind{KindWorker, KindGone, KindRollout, KindScale, KindReady, KindPhase, KindAdded, KindRemoved, KindReload} {
		if !bytes.Contains(page, []byte("`"+kind+"`")) {
			t.Errorf("docs/api.md does not explain the event %s", kind)
		}
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	story := goodRollout()
	once := told(story, Options{}, Verdict{})
	var twice []moment
	for _, m := range story {
		twice = append(twice, m, m)
	}
	if got := told(twice, Options{}, Verdict{}); got != once {
		t.Errorf("with every snapshot twice:\n%s", got)
	}
}

func TestOnePoolAlone(t *testing.T) {
	story := []moment{
		{0, snap(pool("jobs", 1, "0 a 7 ready 1"), pool("web", 1, "0 a 99 ready 1"))},
		{1, snap(pool("jobs", 1, "0 a 7 draining 1"), pool("web", 1, "0 a 99 draining 1"))},
	}
	got := told(story, Options{Pool: "web"}, Verdict{})
	if strings.Contains(got, "jobs") || !strings.Contains(got, "web.0 worker pid 99 draining") {
		t.Error(got)
	}
}

func TestNothingAfterTheEnd(t *testing.T) {
	var out strings.Builder
	p := New(Options{Out: &out, Form: JSON})
	p.Update(snap(pool("web", 1, "0 a 99 ready 1")))
	p.End(Verdict{Outcome: Left})
	said := out.String()
	p.Update(snap(pool("web", 1, "0 a 99 draining 1")))
	p.End(Verdict{Outcome: Done})
	if out.String() != said || strings.Count(said, "\n") != 1 {
		t.Error(out.String())
	}
}

func TestSentences(t *testing.T) {
	for _, tc := range []struct {
		ev   Event
		want string
	}{
		{Event{Kind: KindWorker, State: "waiting", Reason: "died_young:\n\x1b[31mred"}, "web.0 waiting for its next start: died_young: ?[31mred"},
		{Event{Kind: KindWorker, State: "waiting"}, "web.0 waiting for its next start"},
		{Event{Kind: KindWorker, PID: 9, State: "proving"}, "web.0 proving"},
		{Event{Kind: KindWorker, PID: 9, State: "finished"}, "web.0 finished"},
		{Event{Kind: KindWorker, PID: 9, State: "ready", From: "settling"}, "web.0 worker pid 9 stays after all"},
		{Event{Kind: KindWorker, PID: 9, State: "failing", Reason: "liveness: status 503"}, "web.0 worker pid 9 is failing: liveness: status 503"},
		{Event{Kind: KindWorker, PID: 9, State: "unready"}, "web.0 worker pid 9 is unready"},
		{Event{Kind: KindWorker, PID: 9, State: "tracing"}, "web.0 worker pid 9 gets SIGABRT"},
		{Event{Kind: KindGone, PID: 9, Old: true, From: "killed", Reason: "killed_late: signal 9"}, "web.0 old worker pid 9 was killed: killed_late: signal 9"},
		{Event{Kind: KindGone, PID: 9, From: "ready", Reason: "died: exit status 1"}, "web.0 worker pid 9 ended: died: exit status 1"},
		{Event{Kind: KindScale, Total: 6}, "pool web goes to 6 workers"},
		{Event{Kind: KindReady, Done: 6, Total: 6}, "pool web ready: 6/6"},
		{Event{Kind: KindPhase, State: "stopping"}, "pool web stopping"},
		{Event{Kind: KindAdded, Total: 2}, "pool web added: 2 workers"},
		{Event{Kind: KindRemoved}, "pool web removed"},
		{Event{Kind: KindReload, State: "applying"}, "reload: applying it"},
		{Event{Kind: KindReload, State: "done"}, "reload done"},
		{Event{Kind: KindReload, State: "failed", Reason: "no\ntable"}, "reload failed: no table"},
		{Event{Kind: KindRollout, State: "failed", Generation: 2, Reason: "late"}, "pool web failed to roll to generation 2: late"},
	} {
		tc.ev.Pool = "web"
		if got := sentence(&tc.ev); got != tc.want {
			t.Errorf("%+v:\n got %s\nwant %s", tc.ev, got, tc.want)
		}
	}
}

// The stream that Follow reads ends its ticking as well.
func TestFollow(t *testing.T) {
	story := goodRollout()
	var out strings.Builder
	p := New(Options{Out: &out, Form: Live, Size: func() (int, int) { return 80, 24 }})
	err := p.Follow(func(yield func(supervisor.Snapshot, error) bool) {
		for _, m := range story {
			if !yield(m.snap, nil) {
				return
			}
		}
		yield(supervisor.Snapshot{}, os.ErrClosed)
	})
	if !errors.Is(err, os.ErrClosed) || !strings.Contains(out.String(), "done, at generation 2") {
		t.Errorf("%v: %q", err, out.String())
	}
}
