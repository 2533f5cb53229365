package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/listener"
)

// Who comes while it pauses waits for whoever serves the address next, and no probe fails for it.
func TestPause(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.sock")
	d, err := Listen(t.Context(), listener.Address{Network: "unix", Path: path}, "--http")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	streaming := make(chan struct{}, 1)
	cfg := Config{Supervisor: f, Pages: map[string]http.Handler{"GET /stream": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		streaming <- struct{}{}
		<-r.Context().Done()
		_, _ = io.WriteString(w, "last words")
	})}}
	s := Serve(d, cfg)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	ask := func(page string) <-chan string {
		told := make(chan string, 1)
		go func() {
			resp, err := client.Get("http://brood" + page)
			if err != nil {
				told <- err.Error()
				return
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			told <- fmt.Sprint(resp.StatusCode, " ", string(text))
		}()
		return told
	}
	for range 3 {
		stream := ask("/stream")
		<-streaming
		begin := time.Now()
		s.Pause(t.Context())
		if took := time.Since(begin); took > farewell {
			t.Errorf("Pause took %s", took)
		}
		if got := <-stream; got != "200 last words" {
			t.Errorf("the stream ended with %q", got)
		}
		probe := ask("/livez")
		select {
		case got := <-probe:
			t.Errorf("answered while it pauses: %s", got)
		case <-time.After(10 * time.Millisecond):
		}
		s.Resume()
		if got := <-probe; !strings.HasPrefix(got, "200") {
			t.Error(got)
		}
	}
	s.Pause(t.Context())
	fd, err := d.Descriptor()
	if err != nil {
		t.Fatal(err)
	}
	next, err := Adopt(fd)
	if err != nil {
		t.Fatal(err)
	}
	probe := ask("/livez")
	other := Serve(next, cfg)
	if got := <-probe; !strings.HasPrefix(got, "200") {
		t.Error(got)
	}
	s.Close()
	other.Close()
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is left behind")
	}
}
