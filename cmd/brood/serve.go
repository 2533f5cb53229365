package main

import (
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/worker"
)

// serve runs a supervisor to its end. Everything that can fail does so before the first worker starts. It must be on
// the main thread, which becomes the spawner.
func serve(set *settings) error {
	h, err := host.New(set.host())
	if err != nil {
		return err
	}
	defer h.Close()
	log := h.Log()

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

	sup, err := newSupervisor(set, h)
	if err != nil {
		return err
	}
	server := api.serve(sup, h.Output(), log)
	defer server.Close()
	pages.serve(sup, h.Output(), dashboard(set.cfg, sup, server, api.tokens), log)

	h.AtEnd(startHooks(set, sup, h.World(), log))
	err = h.Run(context.Background())
	if errors.Is(err, host.ErrUnclean) {
		return exitCode(exitFailed) // the log has said why
	}
	return err
}

// host is what the host of the supervisor is told of them.
func (set *settings) host() host.Options {
	opt := host.Options{
		Name: set.cfg.Name, Version: version, File: set.cfg.Path, Colours: set.colour(true),
		Log: func(w io.Writer) zerolog.Logger { return newLogger(set, w, term.IsTerminal(syscall.Stderr)) },
	}
	if set.cfg.Path != "" {
		opt.Load = set.load
	}
	return opt
}

// newSupervisor opens the listeners and tries the templates: all that can be wrong with a configuration that was read.
func newSupervisor(set *settings, h *host.Host) (*supervisor.Supervisor, error) {
	sup, err := h.Supervise(desired(set.cfg))
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
	}
	return sup, err
}

// controlError says what to do about a control socket that cannot be had.
func controlError(err error) error {
	hint := "another place can be given with --control"
	if errors.Is(err, control.ErrTaken) {
		hint = "brood status shows it; another name can be given with --name"
	}
	return &userError{code: exitFailed, err: err, hint: hint}
}
