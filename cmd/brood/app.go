package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// version is set by the linker.
var version = "dev"

// run is main without the process: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if completing(args) {
		return exitDone
	}
	worker := os.Getenv("BROOD_WORKER_ID") != "" && !slices.Contains(args, demoWorker)
	forget(func(value string) bool {
		return value == "" || worker // we are somebody's worker: its BROOD_WORKERS is no flag of ours
	})
	err := newApp(stdout, stderr).RunContext(context.Background(), args)
	return report(stderr, err)
}

// completing reports whether the shell asks for completions of what is behind "--". The library takes "--" for the end
// of completion and would run the command.
func completing(args []string) bool {
	return slices.Contains(args, "--") && args[len(args)-1] == "--generate-bash-completion"
}

// forget removes from the variables that set flags those whose value is no flag's. To the library an empty one is a flag
// that was given; to people it is none.
func forget(which func(value string) bool) {
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "BROOD_") && which(value) {
			_ = os.Unsetenv(name)
		}
	}
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                      "brood",
		Usage:                     "run N copies of any server as one service",
		Version:                   version,
		HideVersion:               true, // there is a command
		Writer:                    stdout,
		ErrWriter:                 stderr,
		Suggest:                   true,
		EnableBashCompletion:      true,
		DisableSliceFlagSeparator: true, // values may have commas in them
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return unknownCommand(c)
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			runCommand(), checkCommand(), planCommand(), statusCommand(), topCommand(),
			reloadCommand(), rollCommand(), scaleCommand(), dumpCommand(), stopCommand(), healthcheckCommand(),
			unitsCommand(), nftCommand(), versionCommand(), demoCommand(),
		},
	}
	app.HideHelpCommand = true
	for _, c := range app.Commands {
		// "brood run -- help" is to run a program called help.
		c.HideHelpCommand = true
		c.OnUsageError = usageError
	}
	return app
}

func unknownCommand(c *cli.Context) error {
	name := c.Args().First()
	hint := "brood --help lists the commands"
	if near := cli.SuggestCommand(c.App.Commands, name); near != "" {
		hint = near
	}
	return &userError{code: exitUsage, err: fmt.Errorf("no such command: %q", name), hint: hint}
}

func usageError(c *cli.Context, err error, _ bool) error {
	command := "brood"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != command {
		command += " " + c.Command.Name
	}
	return &userError{code: exitUsage, err: err, hint: command + " --help lists the flags"}
}

// noArguments refuses what stands behind a command that takes nothing: with this library a flag behind an argument is
// an argument, and would be dropped without a word.
func noArguments(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	arg := c.Args().First()
	err := fmt.Errorf("brood %s takes no argument %q", c.Command.Name, arg)
	if strings.HasPrefix(arg, "-") {
		err = errors.New("flags come before arguments: " + arg)
	}
	return &userError{code: exitUsage, err: err, hint: "brood " + c.Command.Name + " --help shows how it is used"}
}
