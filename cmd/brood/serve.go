package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/worker"
)

// serve runs a supervisor to its end. Everything that can fail does so before the first worker starts. It must be on
// the main thread, which becomes the spawner.
func serve(set *settings) error {
	signals := make(chan os.Signal, 16) // bursts of TTIN and TERM; the loop empties it at once
	signal.Notify(signals, supervisor.SignalsWanted()...)
	// A reader of our output that went away must not kill us. SIG_IGN would be inherited by the workers, a handler is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	if err := worker.SealInherited(); err != nil {
		return err
	}
	if err := worker.BecomeSubreaper(); err != nil {
		return err
	}
	poller, err := poll.New()
	if err != nil {
		return err
	}
	defer func() { _ = poller.Close() }()

	output := newOutput(set, poller)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		_ = output.Close(ctx) // what nobody reads is lost
	}()
	log := newLogger(set, output.Log(), term.IsTerminal(syscall.Stderr))

	path := set.control
	if path == "" {
		path = control.DefaultPath(os.Getenv, os.Geteuid(), set.name)
	}
	socket, err := control.Listen(path)
	if err != nil {
		return controlError(err)
	}
	defer socket.Remove()

	sockets, err := openSockets(set, poller, log)
	if err != nil {
		return err
	}
	defer func() { _ = sockets.Close() }()

	spawner, err := worker.NewSpawner(worker.Options{Poller: poller})
	if err != nil {
		return err
	}
	sup, err := newSupervisor(set, log, sockets, newWorld(spawner, poller, output))
	if err != nil {
		return err
	}
	server := control.Serve(socket, sup)
	defer server.Close()

	code, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		code = sup.Run(signals)
	}()
	if err := spawner.Main(done); err != nil {
		sup.Do(context.Background(), supervisor.Request{Verb: supervisor.Kill})
		<-done
		return err
	}
	if code != exitDone {
		return exitCode(code)
	}
	return nil
}

// flushTime is how long the end waits for a slow reader of our output.
const flushTime = 2 * time.Second

func openSockets(set *settings, poller *poll.Poller, log zerolog.Logger) (*listener.Set, error) {
	inherited, err := listener.FromSystemd(os.Getenv, os.Getpid())
	if err != nil {
		return nil, err
	}
	return listener.Open(set.listen, inherited, set.spec.Workers, listener.Options{
		Poller: poller, Report: func(ev listener.Event) { logListener(log, ev) },
	})
}

func newSupervisor(set *settings, log zerolog.Logger, sockets *listener.Set, world supervisor.World) (*supervisor.Supervisor, error) {
	recipe, err := newRecipe(set, sockets)
	if err != nil {
		return nil, &userError{code: exitUsage, err: err}
	}
	listeners := listenersOf(sockets)
	if set.ready.Kind == worker.ReadyHTTP && !slices.ContainsFunc(listeners, supervisor.CanProbe) {
		return nil, &userError{
			code: exitFailed, err: errors.New("cannot probe over HTTP: the kernel lets us only share the sockets, and on a shared one any worker may answer"),
			hint: "take another --ready, such as notify or exec:COMMAND",
		}
	}
	return supervisor.New(supervisor.Config{
		Name: set.name, Version: version, Log: log, World: world,
		Pools: []supervisor.PoolConfig{{
			Name: set.name, Spec: set.spec, Recipe: recipe,
			Sockets: sockets, Listeners: listeners,
			Ready: set.ready, Signals: set.signals, Orphans: set.orphans,
		}},
	})
}

func newOutput(set *settings, poller *poll.Poller) *logs.Mux {
	tty := term.IsTerminal(syscall.Stdout)
	mode := outputModes()[set.output]
	switch {
	case set.output != "auto":
	case set.orphans == worker.OrphanKeep:
		mode = logs.Inherit // a pipe to us would end them with their next line
	case tty:
		mode = logs.Prefix
	}
	return logs.New(logs.Options{
		Mode: mode, Poller: poller, Stdout: syscall.Stdout, Stderr: syscall.Stderr,
		Colour: set.colour(tty), LabelWidth: len(fmt.Sprintf("%s.%d", set.name, set.spec.Workers-1)),
	})
}
