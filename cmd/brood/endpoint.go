package main

import (
	"net/http"
	"strings"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/door"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/metrics"
	"github.com/broodctl/brood/internal/web"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
)

// endpoint is where probes and metrics are answered. Without an address it does nothing.
type endpoint struct {
	door    *door.Door
	address listener.Address
	server  *web.Server
}

// openEndpoint takes the address, before any worker starts, so that one that cannot be had is told at once.
func openEndpoint(cfg *config.Config, h *host.Host) (*endpoint, error) {
	var left leftDoor
	if _, err := h.Handed(partPages, &left); err != nil {
		return nil, err
	}
	d, err := openLeft(cfg.HTTP, left, "--http")
	if err != nil {
		return nil, err
	}
	return &endpoint{door: d, address: cfg.HTTP}, nil
}

// serve begins to answer probes, metrics, and what pages has.
func (e *endpoint) serve(sup *supervisor.Supervisor, output *logs.Mux, pages map[string]http.Handler, log zerolog.Logger) {
	if e.door == nil {
		return
	}
	numbers := metrics.Handler(metrics.Source{Snapshot: sup.Measured, Logs: output}, log)
	log.Info().Stringer("address", e.door.Addr()).Msg("probes are answered")
	pages["GET /metrics"] = numbers
	e.server = web.Serve(e.door, web.Config{Supervisor: sup, Log: log, Pages: pages})
}

// close ends it, also if it never began.
func (e *endpoint) close() {
	switch {
	case e.server != nil:
		e.server.Close()
	case e.door != nil:
		_ = e.door.Close()
	}
}

// httpWords is the address as the configuration has it, with the names of the dashboard; "" for none.
func httpWords(cfg *config.Config) string {
	if cfg.HTTP.Network == "" {
		return ""
	}
	return strings.Join(append([]string{cfg.HTTP.String()}, cfg.HTTPHosts...), " ")
}
