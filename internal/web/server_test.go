package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a supervisor whose loop answers as a test wants.
type fake struct {
	snap  supervisor.Snapshot
	asked atomic.Int32
	looks atomic.Int32
	alive func(context.Context) error
}

func (f *fake) Published() *supervisor.Snapshot {
	f.looks.Add(1)
	return &f.snap
}

func (f *fake) Alive(ctx context.Context) error {
	f.asked.Add(1)
	if f.alive == nil {
		return nil
	}
	return f.alive(ctx)
}

// hangs is a loop that does not turn.
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func ready() supervisor.Snapshot {
	return supervisor.Snapshot{
		Name: "shop", Version: "1.2.3", State: supervisor.StateReady,
		Pools: []supervisor.PoolView{{Name: "web", State: supervisor.StateReady, Generation: 3, Desired: 2, Ready: 2}},
	}
}

// open starts a server on a port of its own.
func open(t *testing.T, f *fake, pages map[string]http.Handler) (*Server, string) {
	t.Helper()
	l, err := Listen(t.Context(), listener.Address{Network: "tcp", Host: "127.0.0.1"}, "--http")
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(l, Config{Supervisor: f, Pages: pages})
	t.Cleanup(s.Close)
	return s, l.Addr().String()
}

// get asks once, on a connection of its own.
func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestProbes(t *testing.T) {
	crashed := supervisor.PoolView{
		Name: "web", State: supervisor.StateDegraded, Desired: 2,
		Workers: []supervisor.WorkerView{{Slot: 0, State: "waiting", LastExit: "died: exit code 1\nsee the log"}},
	}
	half := supervisor.PoolView{Name: "web", State: supervisor.StateDegraded, Desired: 2, Ready: 1}
	starting := supervisor.PoolView{Name: "jobs", State: supervisor.StateStarting, Desired: 1}
	well := ready().Pools[0]
	for _, tc := range []struct {
		name, state           string
		pools                 []supervisor.PoolView
		startup, ready, words string
	}{
		{"starting", "starting", []supervisor.PoolView{starting}, "no", "no", "[-]the supervisor is starting\n[-]pool jobs: 0/1 ready\nnot ok\n"},
		{"ready", "ready", []supervisor.PoolView{well}, "yes", "yes", "[+]the supervisor is ready\n[+]pool web: 2/2 ready\nok\n"},
		{"a part is missing", "degraded", []supervisor.PoolView{half}, "yes", "yes", "[+]the supervisor is degraded\n[+]pool web: 1/2 ready\nok\n"},
		{
			"a pool is down", "degraded",
			[]supervisor.PoolView{well, crashed},
			"yes", "no", "[+]the supervisor is degraded\n[+]pool web: 2/2 ready\n[-]pool web: 0/2 ready, slot 0 is waiting: died: exit code 1; see the log\nnot ok\n",
		},
		{
			"a pool was added", "degraded",
			[]supervisor.PoolView{well, starting},
			"yes", "yes", "[+]the supervisor is degraded\n[+]pool web: 2/2 ready\n[-]pool jobs: 0/1 ready\nok\n",
		},
		{"stopping", "stopping", []supervisor.PoolView{well}, "no", "no", "[-]the supervisor is stopping\n[+]pool web: 2/2 ready\nnot ok\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fake{snap: supervisor.Snapshot{State: tc.state, Pools: tc.pools}}
			_, at := open(t, f, nil)
			code := map[string]int{"yes": 200, "no": 503}
			if got, _ := get(t, at, "/startupz"); got != code[tc.startup] {
				t.Errorf("startupz: %d", got)
			}
			if got, text := get(t, at, "/readyz?verbose"); got != code[tc.ready] || text != tc.words {
				t.Errorf("readyz: %d\n%s", got, text)
			}
			if got, text := get(t, at, "/readyz"); got == 200 && text != "ok\n" || got == 503 && text != tc.words {
				t.Errorf("readyz, in short: %s", text)
			}
			if got, _ := get(t, at, "/livez"); got != 200 {
				t.Errorf("livez: %d", got)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	f := &fake{snap: ready()}
	f.snap.Started = time.Now().Add(-time.Minute)
	_, at := open(t, f, nil)
	for range 50 {
		code, text := get(t, at, "/healthz")
		var h Health
		if err := json.Unmarshal([]byte(text), &h); err != nil || code != 200 {
			t.Fatal(code, text, err)
		}
		if h.Status != Healthy || h.Service != "shop" || h.Version != "1.2.3" || h.Instance == "" || h.Uptime < 60 || len(h.Pools) != 1 || h.Pools[0].Ready != 2 {
			t.Fatalf("%+v", h)
		}
	}
	if looks, asked := f.looks.Load(), f.asked.Load(); looks != 1 || asked != 1 {
		t.Errorf("a burst looked %d times and asked %d times", looks, asked)
	}
}

func TestHealthOfALoopThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{snap: ready(), alive: hangs}
		p := newPulse(f.Alive)
		defer p.stop()
		page := &healthPage{probes: &probes{sup: f, pulse: p}}
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
		if w.Code != 503 || !strings.Contains(w.Body.String(), `"status": "unavailable"`) || !strings.Contains(w.Body.String(), "does not answer within 2s") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// The loop is asked once for all who want to know, and again only when it has answered.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{})
		f := &fake{alive: func(ctx context.Context) error {
			select {
			case <-turn:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		p := newPulse(f.Alive)
		defer p.stop()
		begin := time.Now()
		for range 3 {
			if err := p.check(t.Context()); !errors.Is(err, errSilent) {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took != 3*pulsePatience || f.asked.Load() != 1 {
			t.Errorf("%s, asked %d times", took, f.asked.Load())
		}
		close(turn)
		synctest.Wait()
		for range 100 {
			if err := p.check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if f.asked.Load() != 1 {
			t.Errorf("asked %d times within a second", f.asked.Load())
		}
		<-time.After(pulseAge)
		if err := p.check(t.Context()); err != nil || f.asked.Load() != 2 {
			t.Errorf("%v, asked %d times", err, f.asked.Load())
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		<-time.After(pulseAge)
		f.alive = hangs
		if err := p.check(gone); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A probe that comes while the server ends asks nothing any more.
func TestPulseAfterTheEnd(t *testing.T) {
	f := &fake{}
	p := newPulse(f.Alive)
	p.stop()
	if err := p.check(t.Context()); !errors.Is(err, context.Canceled) || f.asked.Load() != 0 {
		t.Errorf("%v, asked %d times", err, f.asked.Load())
	}
}

func TestPaths(t *testing.T) {
	f := &fake{snap: ready()}
	_, at := open(t, f, map[string]http.Handler{
		"GET /metrics": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, 200, "m\n") }),
	})
	for _, tc := range []struct {
		request, status, header string
	}{
		{"HEAD /readyz", "200", "Content-Length: 3"},
		{"HEAD /healthz", "200", "application/json"},
		{"GET /metrics", "200", "nosniff"},
		{"GET /", "404", "no such page; there is /healthz /livez /metrics /readyz /startupz"},
		{"GET /../../etc/passwd", "307", "Location: /etc/passwd"},
		{"GET /..%2f..%2fetc/passwd", "404", "nosniff"},
		{"GET //metrics", "307", "Location: /metrics"},
		{"GET /livez/", "404", ""},
		{"GET /livez%00", "404", ""},
		{"POST /livez", "405", "Allow: GET, HEAD"},
		{"DELETE /metrics", "405", ""},
		{"GET http://elsewhere/livez", "200", ""},
		{"GET /" + strings.Repeat("x", 32<<10), "431", ""},
		{"NONSENSE", "400", ""},
	} {
		got := raw(t, at, tc.request+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 "+tc.status) || !strings.Contains(got, tc.header) {
			t.Errorf("%.40s: want %s and %q:\n%s", tc.request, tc.status, tc.header, got)
		}
	}
}

// raw sends bytes and returns all that comes back.
func raw(t *testing.T, at, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	return string(answer)
}

// Clients that do nothing make room for one that asks, and those who are answered are left alone.
func TestCrowd(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	s, at := open(t, &fake{snap: ready()}, map[string]http.Handler{
		"GET /long": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-finish
			say(w, 200, "done\n")
		}),
	})
	long := make(chan string, 1)
	go func() {
		_, text := get(t, at, "/long")
		long <- text
	}()
	<-begun
	var silent []net.Conn
	for i := range 2 * maxConns {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHos") // and never the rest
		}
		silent = append(silent, conn)
	}
	if code, _ := get(t, at, "/readyz"); code != 200 {
		t.Errorf("a probe in a crowd: %d", code)
	}
	if _, err := bufio.NewReader(silent[0]).ReadByte(); err == nil {
		t.Error("the first one that did nothing was answered")
	}
	close(finish)
	if got := <-long; got != "done\n" {
		t.Errorf("who was being answered got %q", got)
	}
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	if n := len(s.conns.all); n > maxConns {
		t.Errorf("%d connections", n)
	}
}

// The end of the server ends streams, and is not held up by clients that do not read.
func TestEnd(t *testing.T) {
	begun := make(chan struct{}, 2)
	s, at := open(t, &fake{snap: ready()}, map[string]http.Handler{
		"GET /stream": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun <- struct{}{}
			<-r.Context().Done()
			say(w, 200, "last words\n")
		}),
		"GET /flood": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begun <- struct{}{}
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}),
	})
	deaf, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	fmt.Fprint(deaf, "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
	<-begun
	told := make(chan string, 1)
	go func() {
		_, text := get(t, at, "/stream")
		told <- text
	}()
	<-begun
	begin := time.Now()
	s.Close()
	if took := time.Since(begin); took > farewell+time.Second {
		t.Errorf("the end took %s", took)
	}
	if got := <-told; got != "last words\n" {
		t.Errorf("the stream ended with %q", got)
	}
}

func TestAddresses(t *testing.T) {
	dir := t.TempDir()
	first, err := Listen(t.Context(), listener.Address{Network: "tcp", Host: "127.0.0.1"}, "--http")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	taken := listener.Address{Network: "tcp", Host: "127.0.0.1", Port: first.Addr().(*net.TCPAddr).Port}
	refused(t, taken, syscall.EADDRINUSE, "choose another port with --http")

	path := listener.Address{Network: "unix", Path: filepath.Join(dir, "h.sock")}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path.Path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	refused(t, path, syscall.EADDRINUSE, "choose another path")
	_ = left.Close() // as a supervisor that was killed
	l, err := Listen(t.Context(), path, "--http")
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path.Path); err != nil || st.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	_ = l.Close()
	if _, err := os.Stat(path.Path); err == nil {
		t.Error("the socket is left behind")
	}
	file := listener.Address{Network: "unix", Path: filepath.Join(dir, "file")}
	if err := os.WriteFile(file.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, file, errInTheWay, "")
	refused(t, listener.Address{Network: "unix", Path: filepath.Join(dir, "no", "h.sock")}, syscall.ENOENT, "make the directory")
	refused(t, listener.Address{Network: "tcp", Host: "192.0.2.1"}, syscall.EADDRNOTAVAIL, "no interface")
}

func refused(t *testing.T, a listener.Address, why error, hint string) {
	t.Helper()
	l, err := Listen(t.Context(), a, "--http")
	if err == nil {
		_ = l.Close()
	}
	bad, ok := errors.AsType[*ListenError](err)
	if !ok || !errors.Is(err, why) || !strings.Contains(bad.Hint(), hint) {
		t.Errorf("%s: %v, want %v and the hint %q", a, err, why, hint)
		return
	}
	if !strings.HasPrefix(err.Error(), "cannot serve HTTP on "+a.String()+": ") {
		t.Error(err)
	}
}
