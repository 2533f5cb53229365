package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/broodctl/brood/internal/config"
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

	troubles := &troubleLog{}
	output := newOutput(set, poller, troubles.report)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		_ = output.Close(ctx) // what nobody reads is lost
	}()
	log := newLogger(set, output.Log(), term.IsTerminal(syscall.Stderr))
	troubles.to.Store(&log)

	tmp := worker.NewTmpDirs(set.cfg.Name, func(err error) { log.Warn().Err(err).Msg("temporary files are left") })
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), clearTime)
		defer cancel()
		tmp.Close(ctx)
	}()

	api, err := openDoor(set.cfg, log)
	if err != nil {
		return err
	}
	defer api.close()

	pages, err := openEndpoint(set.cfg)
	if err != nil {
		return err
	}
	defer pages.close()

	reports := &reporter{log: log}
	sockets, err := newSockets(poller, reports)
	if err != nil {
		return err
	}
	defer func() { _ = sockets.Close() }()

	spawner, err := worker.NewSpawner(worker.Options{Poller: poller})
	if err != nil {
		return err
	}
	world := newWorld(spawner, poller, output, sockets)
	world.PrivateTmp = tmp.Next
	defer openGroups(&world, set.cfg.Name, poller, log)()
	sup, err := newSupervisor(set, log, sockets, world)
	if err != nil {
		return err
	}
	reports.sup.Store(sup)
	server := api.serve(sup, output, log)
	defer server.Close()
	pages.serve(sup, output, dashboard(set.cfg, sup, server, api.tokens), log)

	endHooks := startHooks(set, sup, world, log)
	code, done := 0, make(chan struct{})
	go func() {
		defer close(done) // with it the spawner ends, which hooks need
		code = sup.Run(signals)
		endHooks(signals)
	}()
	if err := spawner.Main(done); err != nil {
		sup.Do(context.Background(), supervisor.Request{Verb: supervisor.Kill, UID: supervisor.Nobody})
		<-done
		return err
	}
	if code != exitDone {
		return exitCode(code)
	}
	return nil
}

const (
	// flushTime is how long the end waits for a slow reader of our output.
	flushTime = 2 * time.Second
	// clearTime is how long it waits until the workers' temporary files are removed.
	clearTime = 5 * time.Second
)

// newSockets takes what systemd passed.
func newSockets(poller *poll.Poller, reports *reporter) (*listener.Set, error) {
	inherited, err := listener.FromSystemd(os.Getenv, os.Getpid())
	if err != nil {
		return nil, err
	}
	return listener.NewSet(inherited, listener.Options{
		Poller: poller, Report: reports.report,
	})
}

// newSupervisor opens the listeners and tries the templates: all that can be wrong with a configuration that was read.
func newSupervisor(set *settings, log zerolog.Logger, sockets *listener.Set, world supervisor.World) (*supervisor.Supervisor, error) {
	extra := &spares{set: sockets, passed: sockets.Spare(nil)}
	first := extra.desired(set.cfg)
	if set.cfg.Path != "" {
		world.Load = (&loader{set: set, spares: extra}).load
	}
	sup, err := supervisor.New(supervisor.Config{
		Name: set.cfg.Name, Version: version, Log: log, World: world,
		Desired: first, File: set.cfg.Path,
	})
	open, isOpen := errors.AsType[*listener.OpenError](err)
	switch {
	case isOpen && set.cfg.Path != "":
		at := set.cfg.Problem(config.Key("listen", open.Config.Name, "address"), open.Error(), "")
		return nil, &userError{code: exitFailed, err: at, hint: open.Hint()}
	case errors.Is(err, supervisor.ErrNoProbe):
		return nil, &userError{code: exitFailed, err: err, hint: "take another proof of readiness, such as notify or exec:COMMAND"}
	case errors.Is(err, worker.ErrRecipe) && set.cfg.Path == "":
		return nil, &userError{code: exitUsage, err: err}
	case errors.Is(err, worker.ErrRecipe):
		return nil, &userError{code: exitConfig, err: err}
	case err != nil:
		return nil, err
	}
	for _, l := range sockets.Spare(nil) {
		log.Warn().Str("listener", l.Name).Msg("a socket that systemd passed is used by no pool")
	}
	return sup, nil
}
