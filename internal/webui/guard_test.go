package webui

import (
	"net/http"
	"sync"
	"testing"
)

func TestOtherOriginsAreRefused(t *testing.T) {
	h := site(t, nil)
	for name, tt := range map[string]struct {
		method, target string
		headers        []string
		want           int
	}{
		"a program":                      {"POST", "/v1/roll", nil, 200},
		"our page":                       {"POST", "/v1/roll", []string{"Origin", "http://127.0.0.1:9180", "Sec-Fetch-Site", "same-origin"}, 200},
		"our page behind TLS":            {"POST", "/v1/roll", []string{"Origin", "https://127.0.0.1:9180", "Sec-Fetch-Site", "same-origin"}, 200},
		"our page, without Sec-Fetch":    {"POST", "/v1/roll", []string{"Origin", "http://127.0.0.1:9180"}, 200},
		"another site":                   {"POST", "/v1/roll", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"another site, old browser":      {"POST", "/v1/roll", []string{"Origin", "http://evil.example"}, 403},
		"another port":                   {"POST", "/v1/roll", []string{"Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-site"}, 403},
		"another port, old browser":      {"POST", "/v1/roll", []string{"Origin", "http://127.0.0.1:8080"}, 403},
		"no origin":                      {"POST", "/v1/roll", []string{"Origin", "null"}, 403},
		"nonsense":                       {"POST", "/v1/roll", []string{"Origin", "%zz"}, 403},
		"a lie":                          {"POST", "/v1/roll", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "same-origin"}, 403},
		"a post that somebody typed":     {"POST", "/v1/roll", []string{"Sec-Fetch-Site", "none"}, 403},
		"another site reads":             {"GET", "/v1/status", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another site listens":           {"GET", "/v1/events", []string{"Origin", "http://evil.example"}, 403},
		"another site asks for rights":   {"GET", "/ui/session", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"the status that somebody typed": {"GET", "/v1/status", []string{"Sec-Fetch-Site", "none"}, 200},
		"a link to the page":             {"GET", "/", []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			if w := ask(t, h, tt.method, tt.target, tt.headers...); w.Code != tt.want {
				t.Errorf("%d, want %d: %s", w.Code, tt.want, w.Body)
			}
		})
	}
}

func TestNamesThatAreNotKnownAreRefused(t *testing.T) {
	strict := site(t, func(o *Options) { o.Hosts = []string{"Brood.example.org"} })
	open := site(t, func(o *Options) { o.Trusting = true })
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9180": 200, "[::1]:9180": 200, "[::1]": 200, "10.1.2.3:9180": 200, "[fe80::1%eth0]:9180": 200,
		"localhost": 200, "localhost:9180": 200, "LOCALHOST.": 200, "brood.localhost:9180": 200,
		"brood.example.org": 200, "BROOD.example.org:443": 200, "brood.example.org.": 200,
		"evil.example": 421, "evil.example:9180": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421,
		"xbrood.example.org": 421, "": 421, "[": 421, "notlocalhost": 421, "127.1.evil": 421,
	} {
		for _, target := range []string{"/", "/ui/main.js", "/ui/session", "/v1/status"} {
			if w := ask(t, strict, http.MethodGet, target, "Host", host); w.Code != want {
				t.Errorf("%s by the name %q: %d, want %d", target, host, w.Code, want)
			}
			if w := ask(t, open, http.MethodGet, target, "Host", host); w.Code != http.StatusOK {
				t.Errorf("%s by the name %q on a unix socket: %d", target, host, w.Code)
			}
		}
	}
}

// Streams leave room for others, and so does whoever waits for an operation.
func TestStreamsAreBounded(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	h := site(t, func(o *Options) {
		o.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isStream(r) {
				arrived <- struct{}{}
				<-leave
			}
		})
	})
	targets := []string{"/v1/events", "/v1/logs?pool=web", "/v1/watch", "/v1/operations/op-1?wait_seconds=60"}
	var readers sync.WaitGroup
	for i := range maxStreams {
		readers.Go(func() { ask(t, h, http.MethodGet, targets[i%len(targets)]) })
	}
	for range maxStreams {
		<-arrived
	}
	for _, target := range targets {
		if full := ask(t, h, http.MethodGet, target); full.Code != http.StatusTooManyRequests || full.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", target, full.Code)
		}
	}
	if w := ask(t, h, http.MethodGet, "/v1/status"); w.Code != http.StatusOK {
		t.Errorf("the status: %d", w.Code)
	}
	close(leave)
	readers.Wait()
	go func() { <-arrived }()
	if w := ask(t, h, http.MethodGet, "/v1/events"); w.Code != http.StatusOK {
		t.Errorf("when there is room again: %d", w.Code)
	}
}
