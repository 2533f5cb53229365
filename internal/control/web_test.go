package control

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// talkative has a failed reload that tells what a worker wrote.
type talkative struct{ fake }

func (f *talkative) Snapshot() supervisor.Snapshot {
	snap := f.fake.Snapshot()
	snap.Config.Reload = &supervisor.ReloadView{State: "failed", Error: "it died", Lines: []string{"password is secret"}}
	return snap
}

func (f *talkative) Measured() supervisor.Snapshot { return f.Snapshot() }

func (f *talkative) Published() *supervisor.Snapshot { return new(f.Snapshot()) }

// webServer is the API on an endpoint, with a token to write and one to read.
func webServer(t *testing.T, sup Supervisor, configured bool) http.Handler {
	t.Helper()
	server, _ := serve(t, sup)
	t.Cleanup(server.Close)
	if !configured {
		return server.Web(nil)
	}
	tokens := &Tokens{Write: filepath.Join(t.TempDir(), "write"), Read: filepath.Join(t.TempDir(), "read")}
	putToken(t, tokens.Write, writeToken, 0o600)
	putToken(t, tokens.Read, readToken1, 0o600)
	return server.Web(tokens)
}

// writeTokenFile is a file with the token that may do everything.
func writeTokenFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	putToken(t, path, writeToken, 0o600)
	return path
}

func askWeb(t *testing.T, h http.Handler, method, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWebLetsEverybodyGlanceAndNobodyElseDoMore(t *testing.T) {
	f := &talkative{fake{verdict: supervisor.Verdict{Text: "done"}}}
	h, off := webServer(t, f, true), webServer(t, f, false)
	const write, read, wrong = writeToken, readToken1, "wrong-wrong-wrong-wrong"
	for _, tt := range []struct {
		h                   http.Handler
		method, path, token string
		status              int
	}{
		{h, "GET", PathStatus, "", 200},
		{h, "GET", PathStatus, read, 200},
		{h, "GET", PathStatus, wrong, 401},
		{h, "GET", PathConfig, "", 401},
		{h, "GET", PathConfig, read, 200},
		{h, "GET", PathWatch, "", 401},
		{h, "GET", PathWorkers, "", 401},
		{h, "GET", PathOperations, "", 401},
		{h, "POST", "/v1/roll", "", 401},
		{h, "POST", "/v1/roll", wrong, 401},
		{h, "POST", "/v1/roll", read, 403},
		{h, "POST", "/v1/roll", write, 200},
		{off, "GET", PathStatus, "", 200},
		{off, "GET", PathConfig, "", 401},
		{off, "POST", "/v1/roll", "", 401},
		{off, "POST", "/v1/roll", write, 401},
	} {
		if w := askWeb(t, tt.h, tt.method, tt.path, tt.token); w.Code != tt.status {
			t.Errorf("%s %s with %q: %d, want %d: %s", tt.method, tt.path, tt.token, w.Code, tt.status, w.Body)
		}
	}
	if len(f.asked) != 1 || f.asked[0].From == "" || f.asked[0].UID != nobody {
		t.Errorf("asked for %+v", f.asked)
	}
}

func TestWhatWorkersWroteNeedsAToken(t *testing.T) {
	f := &talkative{fake{feed: events.NewFeed()}}
	f.feed.Add(events.Event{Kind: events.Death, Pool: "web", Exit: "exit 1", Lines: []string{"password is secret"}, Time: time.Now()})
	server := httptest.NewServer(webServer(t, f, true))
	t.Cleanup(server.Close)
	for _, path := range []string{PathStatus, PathEvents + "?after=0"} {
		for token, shown := range map[string]bool{"": false, readToken1: true} {
			if got := untilPool(t, server.URL+path, token); strings.Contains(got, "secret") != shown || !strings.Contains(got, "web") {
				t.Errorf("%s with token %q shows %s", path, token, got)
			}
		}
	}
}

// untilPool reads an answer until a line names the pool.
func untilPool(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(text.String(), `"pool":"web"`); {
		n, err := resp.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return text.String()
}

func TestRights(t *testing.T) {
	path := writeTokenFile(t)
	for token, want := range map[string]Rights{writeToken: RightsWrite, "": RightsNone, "write": RightsNone} {
		if got, err := (Tokens{Write: path}).Rights(token); got != want || err != nil {
			t.Errorf("%q: %v, %v", token, got, err)
		}
	}
	if _, err := (Tokens{Write: path + "x"}).Rights(writeToken); err == nil {
		t.Error("a file that is not there was read")
	}
}
