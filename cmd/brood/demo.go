package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/worker/self"
)

// demoWorker is the command that is a worker itself.
const demoWorker = "demo-worker"

// demoCommand is a worker to try brood with: a small HTTP server that says who it is.
func demoCommand() *cli.Command {
	return &cli.Command{
		Name:   demoWorker,
		Usage:  "be a worker that says who it is",
		Hidden: true,
		Action: func(c *cli.Context) error {
			l, err := self.Listener("http")
			if err != nil {
				return &userError{code: exitFailed, err: err, hint: "brood run -n 4 -l 127.0.0.1:8080 -- brood demo-worker"}
			}
			mux := http.NewServeMux()
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, "slot %d  worker id %d  pid %d  generation %s\n",
					self.Slot(), self.ID(), os.Getpid(), os.Getenv("BROOD_GENERATION"))
			})
			server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
			stopped := make(chan error, 1)
			draining, stop := self.Draining(c.Context)
			defer stop()
			go func() {
				<-draining.Done()
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				stopped <- server.Shutdown(ctx)
			}()
			if err := self.Ready(); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(c.App.Writer, "worker %d serves\n", self.ID())
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return <-stopped
		},
	}
}
