// Command embedding is one program that is both: it looks after two processes of itself, as brood would, and they serve.
// Its own endpoint shows them and replaces them. It uses what any program may import of brood, and no brood is installed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/self"
)

// Workers are forked on the main thread, which main has to have.
func init() { runtime.LockOSThread() }

func main() {
	address := flag.String("listen", "127.0.0.1:8080", "`ADDRESS` that the workers serve")
	admin := flag.String("admin", "127.0.0.1:9180", "`ADDRESS` of /status and /roll")
	control := flag.String("control", host.ControlPath("embedding"), "`PATH` of the socket for the brood command")
	flag.Parse()
	role := func() error { return supervise(*address, *admin, *control) }
	if flag.Arg(0) == "worker" {
		role = work
	}
	if err := role(); err != nil {
		slog.Error("ended", "error", err)
		os.Exit(1)
	}
}

// supervise runs the workers until somebody stops it.
func supervise(address, admin, control string) error {
	h, err := host.New(host.Options{Name: "embedding", Version: "1.0", Control: control})
	if err != nil {
		return err
	}
	defer h.Close()
	site, err := listener.ParseFlag("http=" + address)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	web, err := host.NewPool("web", []string{program, "worker"}, site)
	if err != nil {
		return err
	}
	web.Spec.Workers, web.Spec.Grace = 2, 10*time.Second
	web.Ready.Kind = worker.ReadyNotify
	sup, err := h.Supervise(plan.Desired{Listeners: []listener.Config{site}, Pools: []plan.Pool{web}})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", admin)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: adminPages(sup), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // until Close
	defer server.Close()
	return h.Run(context.Background())
}

func adminPages(sup *supervisor.Supervisor) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(sup.Snapshot()) // who does not listen has gone
	})
	mux.HandleFunc("POST /roll", func(w http.ResponseWriter, r *http.Request) {
		verdict := sup.Do(r.Context(), supervisor.Request{Verb: supervisor.Roll, UID: supervisor.Nobody, From: r.RemoteAddr})
		if verdict.Err != nil {
			http.Error(w, verdict.Err.Error(), http.StatusConflict)
			return
		}
		fmt.Fprintln(w, verdict.Text)
	})
	return mux
}

// work is what each of the two does.
func work() error {
	l, err := self.Listener("http")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "worker %d of %d\n", self.Slot(), self.Workers())
	})}
	draining, stop := self.Draining(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	if err := self.Ready(); err != nil {
		return err
	}
	select {
	case <-draining.Done():
		return server.Shutdown(context.Background()) // killed when the grace is over
	case err := <-ended:
		return err
	}
}
