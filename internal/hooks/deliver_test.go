package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/events"
)

func death() Message {
	return Message{Name: "web", Host: "box", Key: "1700000000123-7", Event: events.Event{
		ID: 7, Kind: events.Death, Pool: "web", Slot: new(2), PID: 99, Cause: "oom", Reason: "a\x00b",
	}}
}

// serve answers with a status, and remembers the request.
func serve(t *testing.T, status int, header ...string) (*Webhook, *http.Request, *map[string]any) {
	t.Helper()
	var seen http.Request
	body := map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = *r.Clone(context.Background())
		text, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(text, &body); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no such channel\nsecond line")
	}))
	t.Cleanup(server.Close)
	return &Webhook{URL: server.URL + "/secret", Client: NewClient(), UserAgent: "brood/1"}, &seen, &body
}

func TestWebhookPosts(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hook, seen, body := serve(t, http.StatusAccepted)
	hook.TokenFile, hook.Headers = token, map[string]string{"X-Team": "core"}
	if err := hook.Deliver(t.Context(), death()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "brood/1", "Brood-Event": "death", "Idempotency-Key": "1700000000123-7", "X-Team": "core", "Authorization": "Bearer s3cret",
	} {
		if got := seen.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if b := *body; b["event"] != "death" || b["host"] != "box" || b["name"] != "web" || b["cause"] != "oom" {
		t.Errorf("body %v", b)
	}
}

func TestWebhookAnswers(t *testing.T) {
	for status, want := range map[int]struct {
		ok, refused bool
		after       time.Duration
	}{
		200: {ok: true}, 204: {ok: true}, 302: {refused: true}, 400: {refused: true}, 404: {refused: true},
		408: {}, 429: {after: 7 * time.Second}, 500: {}, 503: {after: 7 * time.Second},
	} {
		hook, _, _ := serve(t, status, "Retry-After", "7", "Location", "http://127.0.0.1:1/")
		err := hook.Deliver(t.Context(), death())
		if (err == nil) != want.ok || errors.Is(err, ErrRefused) != want.refused {
			t.Errorf("%d: %v", status, err)
		}
		again, _ := errors.AsType[*RetryError](err)
		if want.after != 0 && (again == nil || again.After != want.after) || want.after == 0 && again != nil {
			t.Errorf("%d: to be tried again: %v", status, again)
		}
		if err != nil && status != 302 && !strings.Contains(err.Error(), "no such channel") {
			t.Errorf("%d: the answer is not said: %v", status, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for word, want := range map[string]time.Duration{
		"": 0, "0": 0, "-1": 0, "soon": 0, "7": 7 * time.Second, "4294967295": longestRetry, "99999999999999999999": 0,
		"Sun, 01 Mar 2026 09:01:30 GMT": 90 * time.Second, "Sun, 01 Mar 2026 08:00:00 GMT": 0, "Mon, 02 Mar 2026 09:00:00 GMT": longestRetry,
	} {
		if got := retryAfter(word, now); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

// What is told of a failure must not have the URL in it.
func TestWebhookKeepsTheSecret(t *testing.T) {
	hook := &Webhook{URL: "http://127.0.0.1:1/secret", Client: NewClient()}
	if err := hook.Deliver(t.Context(), death()); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("the error is %v", err)
	}
	hook.TokenFile = "/does/not/exist"
	if err := hook.Deliver(t.Context(), death()); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrRefused) {
		t.Errorf("the error is %v", err)
	}
}

func TestCommandGetsTheEvent(t *testing.T) {
	var argv, env []string
	var stdin []byte
	c := &Command{Argv: []string{"page", "me"}, Run: func(_ context.Context, a, e []string, in []byte) error {
		argv, env, stdin = a, e, in
		return errors.New("exit 3")
	}}
	if err := c.Deliver(t.Context(), death()); err == nil || err.Error() != "exit 3" {
		t.Errorf("the error is %v", err)
	}
	if !slices.Equal(argv, []string{"page", "me"}) {
		t.Errorf("argv %q", argv)
	}
	want := []string{
		"BROOD_EVENT=death", "BROOD_EVENT_ID=7", "BROOD_NAME=web", "BROOD_POOL=web", "BROOD_CAUSE=oom", "BROOD_REASON=ab",
		"BROOD_SLOT=2", "BROOD_PID=99",
	}
	if !slices.Equal(env, want) {
		t.Errorf("env %q, want %q", env, want)
	}
	var m Message
	if err := json.Unmarshal(stdin, &m); err != nil || m.Cause != "oom" || !strings.HasSuffix(string(stdin), "}\n") {
		t.Errorf("stdin %q: %v", stdin, err)
	}
}
