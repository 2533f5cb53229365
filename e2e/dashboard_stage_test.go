//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/control"
	fleets "github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/webui"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// stage is a supervisor that looks as a test wants, behind the real API and the real page.
type stage struct {
	feed  *events.Feed
	lines []logs.Line

	drift func(p *supervisor.PoolView, age time.Duration) // of what is measured, if it is not to stand still

	mu      sync.Mutex
	snap    supervisor.Snapshot
	changed chan struct{}
	asked   []supervisor.Request
	token   string    // the file of it
	reads   chan bool // of logs: true when one begins, false when it ends
}

// play starts one, and returns where its page is.
func play(t *testing.T, pools ...supervisor.PoolView) (s *stage, url string) {
	t.Helper()
	return playWith(t, func(*webui.Options) {}, pools...)
}

func playWith(t *testing.T, change func(*webui.Options), pools ...supervisor.PoolView) (s *stage, url string) {
	t.Helper()
	s = &stage{feed: events.NewFeed(), changed: make(chan struct{}), reads: make(chan bool, 16)}
	s.snap = supervisor.Snapshot{
		Name: "shop", Version: "1.2.3", PID: 4711, State: supervisor.StateReady, Started: time.Now().Add(-time.Hour),
		Config: supervisor.ConfigView{File: "/etc/brood/shop.toml"}, Pools: pools,
	}
	dir := t.TempDir()
	s.token = filepath.Join(dir, "token")
	write(t, s.token, writeToken)
	socket, err := control.Listen(filepath.Join(dir, "control.sock"), control.Access{})
	if err != nil {
		t.Fatal(err)
	}
	api := control.Serve(socket, s, control.Options{Logs: s})
	t.Cleanup(socket.Remove)
	t.Cleanup(api.Close)
	mux := http.NewServeMux()
	tokens := control.Tokens{Write: privately(t, s.token)}
	opt := webui.Options{
		API: api.Web(&tokens), Last: s.feed.Last,
		Rights: func(token string) (string, error) {
			rights, err := tokens.Rights(token)
			return string(rights), err
		},
	}
	change(&opt)
	for pattern, page := range webui.Pages(opt) {
		mux.Handle(pattern, page)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	return s, server.URL
}

// Snapshot is a copy that nobody changes.
func (s *stage) Snapshot() supervisor.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snap
	snap.Pools = slices.Clone(snap.Pools)
	for i := range snap.Pools {
		snap.Pools[i].Workers = slices.Clone(snap.Pools[i].Workers)
		snap.Pools[i].Listeners = slices.Clone(snap.Pools[i].Listeners)
		if s.drift != nil {
			s.drift(&snap.Pools[i], time.Since(snap.Started))
		}
	}
	return snap
}

func (s *stage) Measured() supervisor.Snapshot { return s.Snapshot() }

func (s *stage) Published() *supervisor.Snapshot { return new(s.Snapshot()) }

func (s *stage) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *stage) Do(_ context.Context, req supervisor.Request) supervisor.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, req)
	return supervisor.Verdict{Text: "done"}
}

func (s *stage) requests() []supervisor.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *stage) Events() *events.Feed { return s.feed }

func (s *stage) Fleets(context.Context, string) ([]fleets.View, error) { return nil, nil }

func (s *stage) Document() json.RawMessage { return nil }

func (s *stage) Kept(logs.Filter) iter.Seq[logs.Line] { return slices.Values(s.lines) }

func (s *stage) Follow(ctx context.Context, _ logs.Filter) iter.Seq[logs.Line] {
	return func(yield func(logs.Line) bool) {
		s.read(true)
		defer s.read(false)
		for _, line := range s.lines {
			if !yield(line) {
				return
			}
		}
		<-ctx.Done()
	}
}

// read tells of a reader of logs to who wants to know.
func (s *stage) read(begins bool) {
	select {
	case s.reads <- begins:
	default:
	}
}

// becomes changes what is to be seen, and tells so by events.
func (s *stage) becomes(change func(*supervisor.Snapshot), news ...events.Event) {
	s.mu.Lock()
	change(&s.snap)
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	for _, e := range news {
		s.feed.Add(e)
	}
}

// crowd is a pool whose workers are all ready.
func crowd(name string, n int) supervisor.PoolView {
	p := supervisor.PoolView{
		Name: name, Phase: "serving", State: supervisor.StateReady, Generation: 1, Desired: n, Ready: n,
		Listeners: []supervisor.ListenerView{{
			Name: "http", Address: "127.0.0.1:8080", Mode: "sharded",
			Queue: &supervisor.QueueView{Depth: 3, Capacity: uint64(4096 * n)},
		}},
	}
	for slot := range n {
		p.Workers = append(p.Workers, supervisor.WorkerView{
			Slot: slot, WorkerID: new(slot), PID: 10_000 + slot, State: "ready", Ready: true, Generation: 1, Side: "a",
			Started: time.Now().Add(-time.Duration(slot) * time.Minute),
			Usage:   &supervisor.UsageView{Memory: 64 << 20, CPU: float64(slot), Pids: 1, FDs: 20},
			Queue:   &supervisor.QueueView{Depth: 0, Capacity: 4096}, Connections: new(uint64(slot % 7)),
		})
	}
	return p
}

// moves is the event of a worker that came to another state.
func moves(pool string, slot int, state string) events.Event {
	return events.Event{Kind: events.Worker, Pool: pool, Slot: new(slot), State: state, From: "ready"}
}

func privately(t *testing.T, path string) string {
	t.Helper()
	chmod(t, path, 0o600)
	return path
}

func slotOf(pool string, slot int) string {
	return fmt.Sprintf(`[data-pool=%s] [data-slot="%d"]`, pool, slot)
}
