package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// publisher is a supervisor whose snapshots are numbered by their pid.
type publisher struct {
	fake
	mu     sync.Mutex
	n      int
	taken  int // calls of Snapshot
	next   chan struct{}
	filler string // makes snapshots as large as a test wants
}

func newPublisher() *publisher { return &publisher{next: make(chan struct{})} }

func (p *publisher) Snapshot() supervisor.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken++
	return supervisor.Snapshot{Name: "web", PID: p.n, Version: p.filler}
}

func (p *publisher) Measured() supervisor.Snapshot { return p.Snapshot() }

func (p *publisher) Published() *supervisor.Snapshot { return new(p.Snapshot()) }

func (p *publisher) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

func (p *publisher) publish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	close(p.next)
	p.next = make(chan struct{})
}

func (p *publisher) encoded() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// serve starts a server that the test closes.
func serve(t *testing.T, sup Supervisor) (*Server, *Client) {
	t.Helper()
	socket, err := Listen(filepath.Join(t.TempDir(), "web.sock"), Access{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(socket.Remove)
	return Serve(socket, sup, Options{}), NewClient(socket.path)
}

// pull reads a stream snapshot by snapshot.
func pull(t *testing.T, client *Client) func() (supervisor.Snapshot, error, bool) {
	t.Helper()
	next, stop := iter.Pull2(client.Watch(t.Context()))
	t.Cleanup(stop)
	return next
}

func TestWatchBeginsWithTheCurrentSnapshot(t *testing.T) {
	p := newPublisher()
	p.n = 7
	server, client := serve(t, p)
	defer server.Close()
	next := pull(t, client)
	for want := 7; want < 10; want++ {
		snap, err, ok := next()
		if err != nil || !ok || snap.PID != want {
			t.Fatalf("snapshot %d, %v, %v; want %d", snap.PID, err, ok, want)
		}
		p.publish()
	}
}

// The latest wins: who was away while a hundred were published gets the hundredth.
func TestWatchSkipsWhatWasOvertaken(t *testing.T) {
	p := newPublisher()
	server, client := serve(t, p)
	defer server.Close()
	next := pull(t, client)
	if _, err, ok := next(); err != nil || !ok {
		t.Fatal(err, ok)
	}
	for range 100 {
		p.publish()
	}
	seen := 0
	for {
		snap, err, ok := next()
		if err != nil || !ok {
			t.Fatal(err, ok)
		}
		if seen++; snap.PID == 100 {
			break
		}
	}
	if seen > 3 {
		t.Errorf("%d snapshots of 100 that were published at once", seen)
	}
}

func TestWatchersShareOneEncoding(t *testing.T) {
	p := newPublisher()
	server, client := serve(t, p)
	defer server.Close()
	taken := p.encoded()
	var nexts []func() (supervisor.Snapshot, error, bool)
	for range 5 {
		next := pull(t, client)
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(err, ok)
		}
		nexts = append(nexts, next)
	}
	p.publish()
	for _, next := range nexts {
		if snap, err, ok := next(); err != nil || !ok || snap.PID != 1 {
			t.Fatal(snap.PID, err, ok)
		}
	}
	if got := p.encoded() - taken; got != 2 {
		t.Errorf("2 snapshots were written down %d times for 5 watchers", got)
	}
}

// Who begins to watch sees how it is now, however long nothing has been published for those who watch already.
func TestWatchBeginsWithFreshFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPublisher()
		ws := newWatchers(p, newStreams())
		begin := func() {
			if _, _, err := ws.latest(true); err != nil {
				t.Fatal(err)
			}
		}
		begin()
		begin()
		if p.encoded() != 1 {
			t.Errorf("written down %d times for two who begin at once", p.encoded())
		}
		<-time.After(watchAge + time.Millisecond)
		if _, _, err := ws.latest(false); err != nil || p.encoded() != 1 {
			t.Errorf("%v, written down %d times for who has it", err, p.encoded())
		}
		begin()
		if p.encoded() != 2 {
			t.Errorf("written down %d times for one who begins later", p.encoded())
		}
	})
}

// The stream ends with the last snapshot when the server does, and without an error.
func TestWatchEndsWithTheServer(t *testing.T) {
	p := newPublisher()
	server, client := serve(t, p)
	next := pull(t, client)
	if _, err, ok := next(); err != nil || !ok {
		t.Fatal(err, ok)
	}
	p.publish()
	begin := time.Now()
	server.Close()
	if took := time.Since(begin); took > 900*time.Millisecond {
		t.Errorf("Close took %s", took)
	}
	if snap, err, ok := next(); err != nil || !ok || snap.PID != 1 {
		t.Errorf("last snapshot: %d, %v, %v", snap.PID, err, ok)
	}
	if snap, err, ok := next(); ok {
		t.Errorf("after the end: %d, %v", snap.PID, err)
	}
}

// A watcher that reads nothing holds up neither others nor the end.
func TestStalledWatcherIsAlone(t *testing.T) {
	p := newPublisher()
	p.filler = strings.Repeat("x", 1<<20) // more than the socket holds
	server, client := serve(t, p)
	conn, err := client.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: brood\r\n\r\n", PathWatch); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil { // it is being written to
		t.Fatal(err)
	}
	next := pull(t, client)
	for want := range 3 {
		snap, err, ok := next()
		if err != nil || !ok || snap.PID != want {
			t.Fatalf("snapshot %d, %v, %v; want %d", snap.PID, err, ok, want)
		}
		p.publish()
	}
	begin := time.Now()
	server.Close()
	if took := time.Since(begin); took > 900*time.Millisecond {
		t.Errorf("Close took %s", took)
	}
}

// stalled is a client that never reads.
type stalled struct {
	http.ResponseWriter
	deadline time.Time
}

func (s *stalled) SetWriteDeadline(at time.Time) error {
	s.deadline = at
	return nil
}

func (s *stalled) Write([]byte) (int, error) {
	<-time.After(time.Until(s.deadline))
	return 0, os.ErrDeadlineExceeded
}

func TestStalledWatcherIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := newWatchers(newPublisher(), newStreams())
		begin := time.Now()
		ws.ServeHTTP(&stalled{ResponseWriter: httptest.NewRecorder()}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, PathWatch, nil))
		if took := time.Since(begin); took != streamPatience {
			t.Errorf("after %s, want %s", took, streamPatience)
		}
		if ws.count > 0 || len(ws.streams.all) > 0 || ws.line != nil {
			t.Errorf("still there: %d watchers, %d bytes", ws.count, len(ws.line))
		}
	})
}

func TestWatchIsLines(t *testing.T) {
	p := newPublisher()
	server, client := serve(t, p)
	defer server.Close()
	resp, err := client.open(t.Context(), http.MethodGet, PathWatch, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("content type %s", got)
	}
	lines := bufio.NewScanner(resp.Body)
	for want := range 2 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		var snap supervisor.Snapshot
		if err := json.Unmarshal(lines.Bytes(), &snap); err != nil || snap.PID != want {
			t.Errorf("line %d: %s: %v", want, lines.Text(), err)
		}
		p.publish()
	}
}

// cut tears the connections off.
func (s *Server) cut() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, e := range s.entrances {
		e.turn.End(ctx)
	}
}

func TestWatchErrors(t *testing.T) {
	for snap, err := range NewClient(filepath.Join(t.TempDir(), "none.sock")).Watch(t.Context()) {
		if !errors.Is(err, ErrNoAnswer) {
			t.Errorf("nobody there: %+v, %v", snap, err)
		}
	}
	server, client := serve(t, newPublisher())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, last = range client.Watch(ctx) {
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("cancelled: %v", last)
	}
	last = nil
	for _, last = range client.Watch(t.Context()) {
		server.cut() // as when the supervisor is killed
	}
	if !errors.Is(last, ErrNoAnswer) {
		t.Errorf("torn away: %v", last)
	}
	server.Close()
}
