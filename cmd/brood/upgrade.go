package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
)

func upgradeCommand() *cli.Command {
	return &cli.Command{
		Name:  "upgrade",
		Usage: "have the supervisor go on as the version of brood that is installed now, without touching a worker",
		Description: "The new version first says whether it can go on from what the running one knows; if it cannot, nothing happens. Then it takes its place: " +
			"same process id, same workers, same sockets with all who wait in them. A reload, or a command that runs once, is waited for.\n" +
			"An earlier version works the same way, as long as both know the same format; docs/upgrade.md says which do.",
		Flags: targetFlags(append(waitFlags(),
			stringFlag("program", "", "PATH of the brood to go on as; default is where the running one came from"),
			outputFlag(), noColorFlag())...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			body := control.Body{}
			if program := c.String("program"); program != "" {
				path, err := filepath.Abs(program)
				if err != nil {
					return fmt.Errorf("cannot find %s: %w", program, err)
				}
				body.Program = path
			}
			return askAndShow(c, request{verb: supervisor.Upgrade, body: body})
		},
	}
}

// upgradeCheckCommand is what a running supervisor asks of the program that is to go on in its place; see host.Upgrader.
func upgradeCheckCommand() *cli.Command {
	return &cli.Command{
		Name:   host.CheckCommand,
		Hidden: true,
		Usage:  "say whether this version can go on from the state of a running supervisor",
		Action: func(c *cli.Context) error {
			state, err := host.CheckState(host.StateFD)
			if err != nil {
				return err
			}
			cfg, err := configOf(c.Context, c.Args().Slice())
			if err != nil {
				return err
			}
			if cfg.Name != state.Name {
				return &userError{
					code: exitConfig, err: fmt.Errorf("the configuration calls the supervisor %q, and the running one is %q", cfg.Name, state.Name),
					hint: "the name is what everything else finds it by: it takes effect when brood is started anew",
				}
			}
			return printJSON(c.App.Writer, host.Answer{OK: true, Version: version})
		},
	}
}

// configOf is what arguments of brood would run.
func configOf(ctx context.Context, arguments []string) (*config.Config, error) {
	var found *config.Config
	app := newApp(io.Discard, io.Discard)
	app.Command(commandRun).Action = func(c *cli.Context) error {
		var err error
		_, found, err = runConfig(c, os.ReadFile)
		return err
	}
	arranged, err := arrange(app, append([]string{app.Name}, arguments...))
	if err != nil {
		return nil, err
	}
	if err := app.RunContext(ctx, arranged); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, usage("", "this is no supervisor: it was started as brood %v", arguments)
	}
	return found, nil
}
