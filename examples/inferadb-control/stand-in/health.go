package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// handler answers. What it knows of the storage is kept for a while, so that many
// probes are one question.
type handler struct {
	settings
	log   *slog.Logger
	begin time.Time
	ready sync.Once

	mu      sync.Mutex
	asked   time.Time
	healthy bool
}

func newHandler(s settings, log *slog.Logger) http.Handler {
	h := &handler{settings: s, log: log, begin: time.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", h.readyz)
	mux.HandleFunc("/startupz", h.readyz)
	mux.HandleFunc("/healthz", h.healthz)
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE inferadb_control_uptime_seconds gauge\ninferadb_control_uptime_seconds %.3f\n", time.Since(h.begin).Seconds())
	})
	// In place of the API: it reads what it is sent, however long that takes.
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Worker", h.who())
		mux.ServeHTTP(w, r)
	})
}

func (h *handler) readyz(w http.ResponseWriter, _ *http.Request) {
	if time.Since(h.begin) < h.start || !h.ledger() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.ready.Do(func() { h.log.Info("ready") })
}

func (h *handler) healthz(w http.ResponseWriter, _ *http.Request) {
	healthy, status := h.ledger(), "unhealthy"
	if healthy {
		status = "healthy"
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": status, "service": "inferadb-control", "version": "0.1.0", "instance_id": h.workerID,
		"uptime_seconds": int(time.Since(h.begin).Seconds()), "ledger_healthy": healthy,
	})
}

// ledger tells whether the storage can be reached.
func (h *handler) ledger() bool {
	if h.storage == "memory" {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.asked) < h.cache {
		return h.healthy
	}
	_, address, _ := strings.Cut(h.ledgerEndpoint, "://")
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		conn.Close()
	}
	h.asked, h.healthy = time.Now(), err == nil
	return h.healthy
}
