// Command stand-in is a server with the contract of inferadb-control, for the test of
// this example: its flags and their variables, worker ids, key file, endpoints,
// signals and exit codes. It stores nothing.
//
// What the real one does and this one keeps: a worker id above 1023 is refused, and
// drawn at random if none is given; a key file that is missing is made, by as many as
// find it missing; without a PEM each start has another key; HUP and USR2 kill; TERM
// and INT wait for requests in flight without an end of their own.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Getenv)) }

// run gives the exit code: 2 of a mistake in the arguments, as the parser of the real one.
func run(args []string, getenv func(string) string) int {
	s, err := parse(args, getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 2
	}
	log := s.logger()
	if err := serve(log, s); err != nil {
		log.Error("failed", "error", err.Error())
		return 1
	}
	return 0
}

func serve(log *slog.Logger, s settings) error {
	// Go itself would ignore a USR2 that nobody waits for; a HUP ends it anyway.
	deadly := make(chan os.Signal, 1)
	signal.Notify(deadly, syscall.SIGUSR2)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	if err := s.secrets(log); err != nil {
		return err
	}
	select {
	case <-time.After(s.start):
	case <-ctx.Done():
		return nil
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	server := &http.Server{Handler: newHandler(s, log), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }() // ends with Shutdown
	log.Info("listening", "address", listener.Addr().String(), "worker_id", s.workerID, "ledger_client_id", s.ledgerClientID)
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve: %w", err)
	case <-deadly:
		return fmt.Errorf("killed by %s", syscall.SIGUSR2)
	case <-ctx.Done():
	}
	log.Info("shutting down")
	if err := server.Shutdown(context.Background()); err != nil {
		return fmt.Errorf("cannot shut down: %w", err)
	}
	log.Info("shut down")
	return nil
}
