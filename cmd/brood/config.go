package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/worker"
)

// here is the world that a configuration is to run in.
func here() config.World {
	w := config.Here()
	w.Flag, w.Processors = flagOf, config.ReadProcessors
	w.LookupUser = func(user, group string) error {
		_, err := worker.ResolveIdentity(user, group, nil)
		return err
	}
	return w
}

// loadConfig reads the file of --config for a command that only looks at it. Users need not be known on this machine.
func loadConfig(c *cli.Context) (*config.Config, error) {
	path := c.String("config")
	if path == "" {
		return nil, usage("brood "+c.Command.Name+" -c brood.toml", "brood %s needs a configuration file", c.Command.Name)
	}
	return loadFile(path, config.Here(), os.ReadFile, func(*config.File) {})
}

// loadFile reads a file, changes what the flags say otherwise, and finds out what it means.
func loadFile(path string, w config.World, read func(string) ([]byte, error), change func(*config.File)) (*config.Config, error) {
	f, err := readFile(path, read, change)
	if err != nil {
		return nil, err
	}
	cfg, err := config.FromFile(f, w)
	if err != nil {
		return nil, badConfig(path, err)
	}
	return cfg, nil
}

// readFile reads a configuration file. For a command it may be a pipe, as of a shell's <(...), but not for a reload.
func readFile(path string, read func(string) ([]byte, error), change func(*config.File)) (*config.File, error) {
	text, err := read(path)
	if err != nil {
		return nil, &userError{code: exitConfig, err: fmt.Errorf("cannot read configuration: %w", err)}
	}
	f, err := config.Parse(path, text)
	if err != nil {
		return nil, badConfig(path, err)
	}
	change(f)
	return f, nil
}

// configError is a configuration with mistakes: all of them, as an editor or a person wants them, and nothing in front.
type configError struct {
	path     string
	problems config.Problems
}

func (e *configError) Error() string {
	return e.problems.Error() + "\n" + e.summary()
}

func (e *configError) summary() string {
	return fmt.Sprintf("%s has %s", e.path, count(len(e.problems), "mistake"))
}

func (e *configError) Unwrap() error { return e.problems }

func badConfig(path string, err error) error {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return &configError{path: path, problems: problems}
	}
	return &userError{code: exitConfig, err: err}
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "check a configuration file, and do nothing else",
		Flags: []cli.Flag{configFlag(), outputFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			format, err := outputFormat(c)
			if err != nil {
				return err
			}
			cfg, err := loadConfig(c)
			if err != nil {
				return err
			}
			if format == formatJSON {
				return printJSON(c.App.Writer, checked{File: cfg.Path, Name: cfg.Name, Pools: len(cfg.Pools), Listeners: len(cfg.Listeners)})
			}
			_, _ = fmt.Fprintf(c.App.Writer, "%s is all right: %s, %s\n", cfg.Path,
				count(len(cfg.Pools), "pool"), count(len(cfg.Listeners), "listener"))
			return nil
		},
	}
}

// checked is what brood check prints for programs about a file that is all right.
type checked struct {
	File      string `json:"file"`
	Name      string `json:"name"` // of its supervisor
	Pools     int    `json:"pools"`
	Listeners int    `json:"listeners"`
}
