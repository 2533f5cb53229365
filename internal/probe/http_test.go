package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/probe"
)

// worker is an HTTP server with one path for each kind of answer.
func worker() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("code"))
		w.Header().Set("Location", "/status/500")
		w.WriteHeader(code)
		fmt.Fprint(w, r.URL.Query().Get("body"))
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) {
		for range 1 << 10 {
			if _, err := w.Write(make([]byte, 4<<10)); err != nil {
				return // the probe had enough
			}
		}
		fmt.Fprint(w, "end")
	})
	mux.HandleFunc("/stalls", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	return mux
}

func status(t *testing.T, text string) probe.StatusSet {
	t.Helper()
	s, err := probe.ParseStatus(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHTTP(t *testing.T) {
	srv := httptest.NewServer(worker())
	defer srv.Close()
	w := dialTo("tcp", srv.Listener.Addr().String())
	healthy, short := regexp.MustCompile(`"status":\s*"ok"`), 300*time.Millisecond
	degraded := "/status/200?body=" + `%7B%22status%22:%22degraded%22%7D`
	tests := []struct {
		name string
		c    probe.Config
		want string
	}{
		{"200", probe.Config{Path: "/status/200"}, ""},
		{"204", probe.Config{Path: "/status/204"}, ""},
		{"a redirect is an answer, and not followed", probe.Config{Path: "/status/302"}, ""},
		{"200 and degraded", probe.Config{Path: degraded}, ""},
		{"body", probe.Config{Path: "/status/200?body=%22status%22:%20%22ok%22", Body: healthy}, ""},
		{"expected 503", probe.Config{Path: "/status/503", Status: status(t, "5xx")}, ""},
		{"early hints", probe.Config{Path: "/hints"}, ""},
		{"more than is read", probe.Config{Path: "/huge"}, ""},
		{"404", probe.Config{}, `status 404 (body: "404 page not found")`},
		{"503", probe.Config{Path: "/status/503"}, "status 503 (no body)"},
		{"503 with words", probe.Config{Path: "/status/503?body=no%0A%20db"}, `status 503 (body: "no db")`},
		{"503 with many words", probe.Config{Path: "/status/503?body=" + strings.Repeat("a", 999)}, `status 503 (body: "` + strings.Repeat("a", 120) + `...")`},
		{"degraded, and ok asked for", probe.Config{Path: degraded, Body: healthy}, `status 200, but nothing matches "\"status\":\\s*\"ok\"" (body: "{\"status\":\"degraded\"}")`},
		{"match beyond what is read", probe.Config{Path: "/huge", Body: regexp.MustCompile("end")}, `status 200, but nothing matches "end"`},
		{"302 not asked for", probe.Config{Path: "/status/302", Status: status(t, "2xx")}, "status 302"},
		{"hangs", probe.Config{Path: "/hangs", Timeout: short}, "no answer within 300ms"},
		{"stalls", probe.Config{Path: "/stalls", Timeout: short}, "no end of the body within 300ms"},
		{"https", probe.Config{TLS: probe.Unverified}, "tls: first record does not look like a TLS handshake"},
		{"no path", probe.Config{Path: "x"}, "it begins with /"},
	}
	for _, tt := range tests {
		tt.c.Kind = probe.HTTP
		if tt.c.Timeout == 0 {
			tt.c.Timeout = 20 * time.Second
		}
		expect(t, tt.name, tt.want, tt.c.Once(t.Context(), w))
	}
}

func TestHTTPRequest(t *testing.T) {
	seen := make(chan *http.Request, 1)
	mux := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r })
	plain, encrypted := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer encrypted.Close()
	tests := []struct {
		name string
		srv  *httptest.Server
		c    probe.Config
		want string
	}{
		{"as it is", plain, probe.Config{}, "GET / HTTP/1.1 " + plain.Listener.Addr().String() + " brood-probe */* close []"},
		{
			"changed", plain,
			probe.Config{Path: "/a?b=c", Host: "example.org", Headers: []probe.Header{
				{"user-agent", "me"}, {"Accept", "text/plain"}, {"X", "1"}, {"x", "2"},
			}},
			"GET /a?b=c HTTP/1.1 example.org me text/plain close [1 2]",
		},
		{"header Host", plain, probe.Config{Host: "a", Headers: []probe.Header{{"host", "b:1"}}}, "GET / HTTP/1.1 b:1 brood-probe */* close []"},
		{"https", encrypted, probe.Config{TLS: probe.Unverified, Host: "example.org:443"}, "GET / HTTP/1.1 example.org:443 brood-probe */* close []"},
	}
	for _, tt := range tests {
		tt.c.Kind, tt.c.Timeout = probe.HTTP, 20*time.Second
		if err := tt.c.Once(t.Context(), dialTo("tcp", tt.srv.Listener.Addr().String())); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		r := <-seen
		close := "keep"
		if r.Close {
			close = "close"
		}
		got := fmt.Sprintln(r.Method, r.RequestURI, r.Proto, r.Host, r.UserAgent(), r.Header.Get("Accept"), close, r.Header["X"])
		if got = strings.TrimSpace(got); got != tt.want {
			t.Errorf("%s: got %s, not %s", tt.name, got, tt.want)
		}
		if tt.srv == encrypted && r.TLS.ServerName != "example.org" {
			t.Errorf("%s: server name %s", tt.name, r.TLS.ServerName)
		}
	}
}

// answering accepts connections, reads a request from each, and answers with a text.
func answering(t testing.TB, text string) probe.World {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done, request := make(chan struct{}), make([]byte, 4<<10)
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if n, err := conn.Read(request); err == nil && n > 0 { // one segment on the loopback
				fmt.Fprint(conn, text)
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return dialTo("tcp", l.Addr().String())
}

func TestHTTPOddAnswers(t *testing.T) {
	tests := []struct{ name, answer, want string }{
		{"nothing", "", "connection closed without a complete answer"},
		{"half a header", "HTTP/1.1 200 OK\r\nA: b\r\n", "connection closed without a complete answer"},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "body broke off: connection closed without a complete answer"},
		{"half a body of a failure", "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nhalf", `status 503 (body: "half")`},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "malformed HTTP"},
		{"endless header", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20<<10), "answer with a header of more than 64 KiB"},
		{"endless hints", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 5<<10), "answer with a header of more than 64 KiB"},
		{"another connection", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "status 101 (no body)"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nbody until the end", ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := probe.Config{Kind: probe.HTTP, Timeout: 20 * time.Second}
			expect(t, tt.name, tt.want, c.Once(t.Context(), answering(t, tt.answer)))
		})
	}
}

// Nobody waits for a worker that is gone.
func TestHTTPEndsWithTheContext(t *testing.T) {
	asked := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer srv.Close()
	gone := errors.New("worker is gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- probe.Config{Kind: probe.HTTP, Timeout: time.Hour}.Once(ctx, dialTo("tcp", srv.Listener.Addr().String()))
	}()
	<-asked
	cancel(gone)
	if err := <-ended; !errors.Is(err, gone) {
		t.Error(err)
	}
}
