package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/worker"
)

// serve runs a supervisor to its end. Everything that can fail does so before the first worker starts. It must be on
// the main thread, which becomes the spawner.
func serve(set *settings, stderr io.Writer) error {
	signals := make(chan os.Signal, 16) // bursts of TTIN and TERM; the loop empties it at once
	signal.Notify(signals, supervisor.SignalsWanted()...)
	// A reader of our output that went away must not kill us. SIG_IGN would be inherited by the workers; a handler is not.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)

	if err := worker.SealInherited(); err != nil {
		return err
	}
	if err := worker.BecomeSubreaper(); err != nil {
		return err
	}
	inherited, err := listener.FromSystemd(os.Getenv, os.Getpid())
	if err != nil {
		return err
	}
	log, flush := newLogger(set, stderr)
	defer flush()

	poller, err := poll.New()
	if err != nil {
		return err
	}
	defer func() { _ = poller.Close() }()

	path := set.control
	if path == "" {
		path = control.DefaultPath(os.Getenv, os.Geteuid(), set.name)
	}
	socket, err := control.Listen(path)
	if err != nil {
		return controlError(err)
	}
	defer socket.Remove()

	sockets, err := listener.Open(set.listen, inherited, set.spec.Workers, listener.Options{
		Poller: poller, Report: func(ev listener.Event) { logListener(log, ev) },
	})
	if err != nil {
		_ = socket.Close()
		return err
	}
	defer func() { _ = sockets.Close() }()
	return supervise(set, log, poller, socket, sockets)
}

func supervise(set *settings, log zerolog.Logger, poller *poll.Poller, socket *control.Socket, sockets *listener.Set) error {
	output := newOutput(set, poller)
	defer func() { _ = output.Close() }()
	spawner, err := worker.NewSpawner(worker.Options{Poller: poller})
	if err != nil {
		_ = socket.Close()
		return err
	}
	recipe, err := newRecipe(set, sockets)
	if err != nil {
		_ = socket.Close()
		return &userError{code: exitUsage, err: err}
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, supervisor.SignalsWanted()...)
	sup, err := supervisor.New(supervisor.Config{
		Name: set.name, Version: version, Log: log,
		World: newWorld(spawner, poller, output),
		Pools: []supervisor.PoolConfig{{
			Name: set.name, Spec: set.spec, Recipe: recipe,
			Sockets: sockets, Listeners: listenersOf(sockets),
			Ready: set.ready, Signals: set.signals, Orphans: set.orphans,
		}},
	})
	if err != nil {
		_ = socket.Close()
		return err
	}
	server := control.Serve(socket, sup)
	defer server.Close()

	code, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		code = sup.Run(signals)
	}()
	spawner.Main(done)
	if code != exitDone {
		return exitCode(code)
	}
	return nil
}

func newOutput(set *settings, poller *poll.Poller) *logs.Mux {
	tty := isTerminal(os.Stdout)
	mode := outputModes()[set.output]
	if set.output == "auto" && tty {
		mode = logs.Prefix
	}
	return logs.New(logs.Options{
		Mode: mode, Poller: poller, Stdout: int(os.Stdout.Fd()), Stderr: int(os.Stderr.Fd()),
		Colour: set.colour(tty), LabelWidth: len(fmt.Sprintf("%s.%d", set.name, set.spec.Workers-1)),
	})
}
