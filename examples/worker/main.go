// Command worker is a web server that is a good worker: it takes its socket from brood, from systemd, or opens one, says
// when it serves, reloads without losing a request, writes dumps when asked, and leaves when it has answered what it
// had. Everything it needs for that is in package self; the rest is an ordinary net/http program.
//
//	brood run -c examples/worker/brood.toml
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/broodctl/brood/worker/self"
)

func main() {
	greeting := flag.String("greeting", "", "`FILE` with what to say; read again on SIGHUP")
	address := flag.String("listen", "127.0.0.1:8080", "`ADDRESS` to listen on when no socket is passed")
	flag.Parse()
	if err := run(*greeting, *address); err != nil {
		slog.Error("ended", "error", err)
		os.Exit(1)
	}
}

func run(greeting, address string) error {
	draining, stop := self.Draining(context.Background())
	defer stop()
	site := &site{file: greeting}
	if err := site.load(); err != nil {
		return err // brood keeps the worker before this one, and shows the last line
	}
	reloads, err := self.Reloads(draining)
	if err != nil {
		return err
	}
	self.Dumper{}.OnSignal(draining, func(files []string, err error) { slog.Info("dumped", "files", files, "error", err) })

	listener, err := self.Listener("http")
	if errors.Is(err, self.ErrNotPassed) {
		listener, err = net.Listen("tcp", address)
	}
	if err != nil {
		return err
	}
	server := &http.Server{Handler: self.CountRequests(site.handler()), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if self.Leader() {
		go site.schedule(draining)
	}
	if err := self.Ready(); err != nil {
		return err
	}
	go self.Watchdog(draining, nil)

	for {
		select {
		case <-reloads:
			if err := site.load(); err != nil {
				slog.Warn("the old greeting stays", "error", err)
				continue
			}
			slog.Info("the greeting was read again")
		case <-draining.Done():
			return server.Shutdown(context.Background()) // brood ends it when the grace period is over
		case err := <-ended:
			return err
		}
	}
}

// site is what the server serves.
type site struct {
	file     string
	greeting atomic.Pointer[string]
	jobs     atomic.Int64 // that the leader has done
}

// load reads the greeting. If it cannot, what was read before stays.
func (s *site) load() error {
	text := "hello"
	if s.file != "" {
		b, err := os.ReadFile(s.file)
		if err != nil {
			return fmt.Errorf("cannot read greeting: %w", err)
		}
		if text = strings.TrimSpace(string(b)); text == "" {
			return fmt.Errorf("cannot read greeting %s: it is empty", s.file)
		}
	}
	s.greeting.Store(&text)
	return nil
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		select { // what is asked of a database, say
		case <-time.After(time.Second):
			fmt.Fprintln(w, "done")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s from worker %d in slot %d of %d\n", *s.greeting.Load(), self.ID(), self.Slot(), self.Workers())
	})
	return mux
}

// schedule does what only one worker may do, until this one leaves.
func (s *site) schedule(ctx context.Context) {
	slog.Info("leading")
	for tick := time.NewTicker(time.Minute); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			slog.Info("a job is done", "count", s.jobs.Add(1))
		}
	}
}
