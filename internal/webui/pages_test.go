package webui

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "may-ask-for-everything"

// site is the pages on a mux, in front of an API that says that it was asked.
func site(t *testing.T, change func(*Options)) http.Handler {
	t.Helper()
	o := Options{
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			writeJSON(w, http.StatusOK, map[string]string{"asked": r.Method + " " + r.URL.Path})
		}),
		Rights: func(got string) (string, error) {
			if got == token {
				return "write", nil
			}
			return "none", nil
		},
		Last: func() uint64 { return 17 },
	}
	if change != nil {
		change(&o)
	}
	mux := http.NewServeMux()
	for pattern, h := range Pages(o) {
		mux.Handle(pattern, h)
	}
	return mux
}

// ask sends a request; headers are pairs, and Host is one of them.
func ask(t *testing.T, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	r.Host = "127.0.0.1:9180"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	h := site(t, nil)
	for _, target := range []string{"/", "/ui/main.js", "/ui/base.css", "/ui/icon.svg", "/ui/nosuch", "/ui/session", "/v1/status"} {
		w := ask(t, h, http.MethodGet, target)
		for name, want := range headers() {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
	}
	policy := headers()["Content-Security-Policy"]
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
		"frame-ancestors 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy is weak: %s", policy)
	}
}

// Every file that a file of ours names is there, and no file names one from elsewhere.
func TestThePageIsWhole(t *testing.T) {
	h := site(t, nil)
	names, err := fs.Glob(assets, "assets/*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	reference := regexp.MustCompile(`(?:from |src=|href=|url\()["']([^"']+)["']`)
	for _, name := range names {
		text, err := fs.ReadFile(assets, name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ReplaceAll(string(text), "http://www.w3.org/2000/svg", ""), "://") {
			t.Errorf("%s names another site", name)
		}
		if word := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|\bstyle="|\bon\w+="`).FindString(string(text)); word != "" {
			t.Errorf("%s has %s", name, word)
		}
		for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
			target := m[1]
			switch {
			case strings.HasPrefix(target, "#"):
				continue
			case strings.HasPrefix(target, "./"):
				target = "/ui/" + target[2:]
			}
			if w := ask(t, h, http.MethodGet, target); w.Code != http.StatusOK || w.Header().Get("Content-Type") == "" {
				t.Errorf("%s names %s: %d", name, m[1], w.Code)
			}
		}
	}
}

func TestOnlyOurFilesAreServed(t *testing.T) {
	h := site(t, nil)
	for _, target := range []string{"/ui/pages.go", "/ui/..%2fpages.go", "/ui/%2e", "/ui/main.js%00", "/nosuch"} {
		if w := ask(t, h, http.MethodGet, target); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestTheAPIIsMounted(t *testing.T) {
	h := site(t, nil)
	for _, tt := range []struct {
		method, target string
		status         int
		want           string
	}{
		{"GET", "/v1/status", 200, "GET /v1/status"},
		{"GET", "/v1/operations/op-1?wait_seconds=3", 200, "GET /v1/operations/op-1"},
		{"POST", "/v1/roll", 200, "POST /v1/roll"},
		{"PUT", "/v1/roll", 405, ""},
		{"DELETE", "/v1/status", 405, ""},
		{"POST", "/", 405, ""},
	} {
		if w := ask(t, h, tt.method, tt.target); w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s: %d %s", tt.method, tt.target, w.Code, w.Body)
		}
	}
}

func TestSessionTellsTheRights(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Options)
		header string
		status int
		want   sessionView
	}{
		"nobody":     {nil, "", 200, sessionView{Rights: "none", Last: 17}},
		"known":      {nil, "Bearer " + token, 200, sessionView{Rights: "write", Last: 17}},
		"unknown":    {nil, "Bearer wrong", 200, sessionView{Rights: "none", Last: 17}},
		"not bearer": {nil, "Basic " + token, 200, sessionView{Rights: "none", Last: 17}},
		"off":        {func(o *Options) { o.Rights, o.Off = nil, "No token_file." }, "Bearer " + token, 200, sessionView{Rights: "none", Off: "No token_file.", Last: 17}},
		"broken":     {func(o *Options) { o.Rights = func(string) (string, error) { return "", errors.New("secret path") } }, "Bearer x", 500, sessionView{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, site(t, tt.change), http.MethodGet, "/ui/session", "Authorization", tt.header)
			var got sessionView
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != tt.status || got != tt.want {
				t.Errorf("%d %s: %+v", w.Code, w.Body, got)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Error("the reason is told to everybody")
			}
		})
	}
}
