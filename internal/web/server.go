package web

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/door"
	"github.com/broodctl/brood/supervisor"
)

// limits of a server. Whoever streams lifts those of its answer with an http.ResponseController.
const (
	maxConns      = 256              // a handful of monitors and dashboards, with room
	maxHeader     = 16 << 10         // bytes
	maxBody       = 64 << 10         // bytes; nothing here reads one
	headerTimeout = 5 * time.Second  // for the words of a request
	readTimeout   = 10 * time.Second // for all of it
	writeTimeout  = 30 * time.Second // for the answer: metrics of a thousand workers are some megabytes
	idleTimeout   = 2 * time.Minute  // between requests; Prometheus asks once a minute, and keeps the connection
	farewell      = time.Second      // for answers under way when the server ends
)

// Supervisor is what the probes look at; see supervisor.Supervisor.
type Supervisor interface {
	// Published is the latest snapshot, without what has to be measured. Nobody changes it.
	Published() *supervisor.Snapshot
	// Alive waits until the loop has answered.
	Alive(ctx context.Context) error
}

// Config is what a server needs.
type Config struct {
	Supervisor Supervisor
	Log        zerolog.Logger
	// Pages are further handlers, by pattern of http.ServeMux, such as "GET /metrics". A page that streams has to end with the
	// context of its request, which ends with the server.
	Pages map[string]http.Handler
}

// Server answers until Close.
type Server struct {
	cfg   Config
	door  *door.Door
	mux   http.Handler
	pulse *pulse
	conns *conns

	mu   sync.Mutex
	turn *door.Turn         // nil while it pauses
	end  context.CancelFunc // of all requests
}

// Serve answers what comes from a door, which it closes in the end.
func Serve(d *door.Door, cfg Config) *Server {
	s := &Server{cfg: cfg, door: d, pulse: newPulse(cfg.Supervisor.Alive), conns: newConns(maxConns)}
	p := &probes{sup: cfg.Supervisor, pulse: s.pulse, instance: instance()}
	mux := http.NewServeMux()
	pages := maps.Clone(cfg.Pages)
	if pages == nil {
		pages = map[string]http.Handler{}
	}
	pages["GET /livez"] = http.HandlerFunc(p.live)
	pages["GET /readyz"] = http.HandlerFunc(p.ready)
	pages["GET /startupz"] = http.HandlerFunc(p.startup)
	pages["GET /healthz"] = &healthPage{probes: p}
	for pattern, page := range pages {
		mux.Handle(pattern, page)
	}
	if _, taken := pages["GET /"]; !taken {
		mux.Handle("GET /", contents(slices.Sorted(maps.Keys(pages))))
	}
	s.mux = s.guard(mux)
	s.attend()
	return s
}

func (s *Server) attend() {
	ctx, end := context.WithCancel(context.Background())
	s.end = end
	s.turn = door.Serve(s.door.Attend(), &http.Server{
		BaseContext:       func(net.Listener) context.Context { return ctx },
		Handler:           s.mux,
		ConnContext:       s.conns.come,
		ConnState:         s.follow,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(s.cfg.Log.With().Str("part", "http").Logger(), "", 0),
	})
}

// Pause lets another program take over the address, which stays open: who asks from here on waits for it. Streams end, and the
// other answers are written, until ctx ends.
func (s *Server) Pause(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest(ctx)
}

// Resume answers again after Pause, if no other program came.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn == nil {
		s.attend()
	}
}

// rest ends the turn at the door. Who is sent away and comes back finds nobody: first nobody is let in any more.
func (s *Server) rest(ctx context.Context) {
	if s.turn == nil {
		return
	}
	s.turn.Leave()
	s.end()
	s.turn.End(ctx)
	s.turn = nil
}

// Close ends streams, lets the answers that are under way be written, for a moment, and closes the door.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.door.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.pulse.stop()
	s.rest(ctx)
}

// follow is for http.Server.ConnState.
func (s *Server) follow(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		s.conns.gone(conn)
	}
}

// guard is in front of every page: what no page may forget.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store") // an answer of a minute ago is a wrong one
		v, ok := r.Context().Value(visitKey{}).(*visit)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		s.conns.working(v, func() { next.ServeHTTP(w, r) })
	})
}

// contents answers who asks for anything else, with what there is.
func contents(patterns []string) http.Handler {
	var paths []string
	for _, pattern := range patterns {
		path, isGet := strings.CutPrefix(pattern, "GET ")
		if path = strings.TrimSuffix(path, "{$}"); isGet && !strings.Contains(path, "{") {
			paths = append(paths, path)
		}
	}
	text := fmt.Sprintf("no such page; there is %s\n", strings.Join(paths, " "))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusNotFound, text) })
}

// say answers in plain text.
func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // a client that left needs no answer
}
