package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
)

// commandRun is the only command whose arguments are not its own.
const commandRun = "run"

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      commandRun,
		Usage:     "start a supervisor: N workers of one command, or the pools of a file",
		ArgsUsage: "[--] COMMAND [ARGUMENT...]",
		Description: "Arguments, --env, --dir, --user and --group are templates: {{.Slot}} {{.WorkerID}} {{.Workers}} {{.Generation}} {{.Pool}} " +
			"{{.FD.http}} {{.Port.http}} {{.Addr.http}}.\n" +
			"The workers find their sockets by LISTEN_FDS, their place in BROOD_SLOT and BROOD_WORKER_ID.",
		Flags: runFlags(),
		Action: func(c *cli.Context) error {
			from := &source{}
			file, cfg, err := runConfig(c, from.read)
			switch {
			case err != nil:
				return err
			case c.Bool("print-config"):
				text, err := config.Encode(config.Complete(file))
				if err != nil {
					return err
				}
				_, err = c.App.Writer.Write(text)
				return err
			}
			return serve(&settings{cfg: cfg, noColor: c.Bool("no-color"), overlay: overlay(c), signals: caughtIn(c.Context), from: from})
		},
	}
}

// runConfig is what brood run was told, and what that means.
func runConfig(c *cli.Context, read func(string) ([]byte, error)) (*config.File, *config.Config, error) {
	file, mistakes, err := runFile(c, read)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := resolve(c, file, mistakes)
	if err != nil {
		return nil, nil, err
	}
	if err := control.CheckName(cfg.Name); err != nil {
		return nil, nil, &userError{code: exitUsage, err: err, hint: "give another one with --name"}
	}
	return file, cfg, nil
}

// settings are what brood run was told.
type settings struct {
	cfg     *config.Config
	noColor bool
	from    *source            // of cfg
	signals chan os.Signal     // that were caught before; nil if none were
	overlay func(*config.File) // the flags that beat the file, also when it is read again
}

// runFile is what a configuration file says, or what the flags come to, and the mistakes in these.
func runFile(c *cli.Context, read func(string) ([]byte, error)) (*config.File, []error, error) {
	if !c.IsSet("config") {
		return fromFlags(c)
	}
	if c.Args().Present() {
		return nil, nil, usage("with -c the command stands in the file: [pool.web] command = [...]", "brood run takes a configuration file or a command, not both")
	}
	for _, flag := range poolFlags() {
		if name := flag.Names()[0]; c.IsSet(name) {
			return nil, nil, usage("write it into the file; brood run --print-config shows how",
				"--%s (or %s) is of a pool from flags, and the pools are in %s", name, env(name)[0], c.String("config"))
		}
	}
	file, err := readFile(c.String("config"), read, overlay(c))
	return file, nil, err
}

// overlay returns what the flags change in a file: a flag beats the environment, that beats the file.
func overlay(c *cli.Context) func(*config.File) {
	return func(f *config.File) {
		for flag, into := range map[string]*string{
			"name": &f.Supervisor.Name, "control": &f.Supervisor.Control.Path, "http": &f.Supervisor.HTTP,
			"log-level": &f.Supervisor.LogLevel, "log-format": &f.Supervisor.LogFormat,
		} {
			if c.IsSet(flag) {
				*into = c.String(flag)
			}
		}
		if c.IsSet("control") { // of the current directory, as everywhere on the command line, and not of the file's
			if path, err := filepath.Abs(c.String("control")); err == nil {
				f.Supervisor.Control.Path = path
			}
		}
	}
}

// resolve finds out what a file means. With flags in place of a file a mistake is one of usage, and all are told at once.
func resolve(c *cli.Context, f *config.File, mistakes []error) (*config.Config, error) {
	cfg, err := config.FromFile(f, here())
	switch {
	case err == nil && len(mistakes) == 0:
		return cfg, nil
	case c.IsSet("config"):
		return nil, badConfig(c.String("config"), err)
	}
	return nil, &userError{code: exitUsage, err: errors.Join(append(mistakes, err)...), hint: runHint}
}
