package main

import (
	"context"
	"errors"
	"fmt"
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

// serve runs a supervisor to its end. Everything that can fail does so before the first worker starts, or before this
// program has taken over from another one, which then goes on. It must be on the main thread, which becomes the spawner.
func serve(set *settings) error {
	h, err := host.New(set.host())
	if err != nil {
		return err
	}
	defer h.Close()
	s := &served{set: set, host: h}
	defer s.close()
	if err := s.begin(); err != nil {
		return h.GiveBack(err)
	}
	err = h.Run(context.Background())
	if errors.Is(err, host.ErrUnclean) {
		return exitCode(exitFailed) // the log has said why
	}
	return err
}

// served is a supervisor with all that people and programs reach it by.
type served struct {
	set   *settings
	host  *host.Host
	api   *entrance
	pages *endpoint
}

// begin opens everything, and answers. A bug that shows here must not end a supervisor that another program has left in
// good health.
func (s *served) begin() (err error) {
	if s.host.IsUpgrade() {
		defer func() {
			if bug := recover(); bug != nil {
				err = fmt.Errorf("cannot take over: %v", bug) //nolint:err113 // nobody can have known
			}
		}()
	}
	log, cfg := s.host.Log(), s.set.cfg
	if s.api, err = openDoor(cfg, s.host); err != nil {
		return err
	}
	if s.pages, err = openEndpoint(cfg, s.host); err != nil {
		return err
	}
	sup, err := newSupervisor(s.set, s.host)
	if err != nil {
		return err
	}
	server := s.api.serve(sup, s.host.Output(), log)
	s.pages.serve(sup, s.host.Output(), dashboard(cfg, sup, server, s.api.tokens), log)
	if s.pages.server != nil {
		s.host.Keep(partPages, s.pages) // before the API, which its pages ask
	}
	s.host.Keep(partAPI, s.api)
	s.host.Keep(partConfig, s.set.from)
	return startHooks(s.set, sup, s.host)
}

// close ends what was begun, the last first.
func (s *served) close() {
	if s.api != nil && s.api.server != nil {
		s.api.server.Close()
	}
	if s.pages != nil {
		s.pages.close()
	}
	if s.api != nil {
		s.api.close()
	}
}

// host is what the host of the supervisor is told of them.
func (set *settings) host() host.Options {
	opt := host.Options{
		Caught: set.signals, Name: set.cfg.Name, Version: version, File: set.cfg.Path, Colours: set.colour(true), Upgradable: true, UpgradeOnReload: set.cfg.UpgradeOnReload,
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
