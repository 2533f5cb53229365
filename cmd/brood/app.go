package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor/host"
)

// version is set by the linker.
var version = "dev"

// run is main without the process: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if completing(args) {
		return exitDone
	}
	ctx := catching(context.Background())
	worker := os.Getenv("BROOD_WORKER_ID") != "" && !slices.Contains(args, demoWorker)
	forget(func(value string) bool {
		return value == "" || worker // we are somebody's worker: its BROOD_WORKERS is no flag of ours
	})
	out := &printed{Writer: stdout}
	app := newApp(out, stderr)
	if len(args) > 1 && args[1] == completeWord {
		printCompletions(out, app, args[2:], lookup{name: os.Getenv("BROOD_NAME"), control: os.Getenv("BROOD_CONTROL")})
		return exitDone
	}
	args = spoken(args)
	arranged, err := arrange(app, args)
	if err == nil {
		if about, wanted := helpWanted(app, args); wanted {
			printHelp(out, app, about, width(stdout))
		} else {
			err = app.RunContext(ctx, arranged)
		}
	}
	if err != nil {
		err = host.GiveBack(err, caughtIn(ctx))
	}
	if wantsJSON(app, args) {
		tellPrograms(out, err)
	}
	if err == nil {
		err = out.err
	}
	return report(stderr, err)
}

// caught is the key of the signals that came before the supervisor was there.
type caught struct{}

// catching keeps the signals of an upgrade from getting lost while words are read.
func catching(ctx context.Context) context.Context {
	return context.WithValue(ctx, caught{}, host.CatchSignals())
}

func caughtIn(ctx context.Context) chan os.Signal {
	signals, _ := ctx.Value(caught{}).(chan os.Signal)
	return signals
}

// completing reports whether a shell asks for completions in the library's own way. Its scripts run the command when they
// complete what is behind "--"; ours are others, see completion.go.
func completing(args []string) bool {
	return len(args) > 0 && args[len(args)-1] == "--generate-bash-completion"
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
		DisableSliceFlagSeparator: true, // values may have commas in them
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usageError,
		Action:                    unknownCommand,
		Commands: []*cli.Command{
			runCommand(), checkCommand(), planCommand(), psCommand(), statusCommand(), topCommand(), eventsCommand(), logsCommand(),
			reloadCommand(), rollCommand(), restartCommand(), scaleCommand(), signalCommand(), dumpCommand(), fleetCommand(), upgradeCommand(), stopCommand(), healthcheckCommand(),
			unitsCommand(), nftCommand(), completionCommand(), versionCommand(), demoCommand(), upgradeCheckCommand(),
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
	var commands []string
	for _, command := range c.App.VisibleCommands() {
		commands = append(commands, command.Name)
	}
	near := text.Near(name, commands)
	if other := elsewhere()[name]; other != "" {
		near = other
	}
	if near != "" {
		return usage(hint, "no such command %q: did you mean %q?", name, near)
	}
	return usage(hint, "no such command %q", name)
}

// elsewhere has the words that programs like this one take for what is called otherwise here.
func elsewhere() map[string]string {
	return map[string]string{
		"start": "run", "up": "run", "ls": "ps", "list": "ps", "show": "status", "info": "status", "monit": "top",
		"tail": "logs", "journal": "logs", "kill": "stop", "down": "stop", "rollout": "roll", "test": "check", "validate": "check",
	}
}

// usageError is about flags whose values cannot be read.
func usageError(c *cli.Context, err error, _ bool) error {
	command := "brood"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != command {
		command += " " + c.Command.Name
	}
	return &userError{code: exitUsage, err: err, hint: command + " --help lists the flags"}
}

// spoken takes what nearly every program understands: --version, help, and help about a command.
func spoken(args []string) []string {
	switch {
	case len(args) < 2:
	case args[1] == "--version" || args[1] == "-v":
		return []string{args[0], "version"}
	case args[1] == "help" && len(args) == 2:
		return []string{args[0], "--help"}
	case args[1] == "help":
		return []string{args[0], args[2], "--help"}
	}
	return args
}

// noArguments refuses what stands behind a command that takes nothing, and says where it may have belonged.
func noArguments(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	name, word := "brood "+c.Command.Name, c.Args().First()
	hint := name + " --help shows how it is used"
	switch {
	case flagNamed(c.Command.Flags, "pool") != nil:
		hint = name + " --pool " + word
	case flagNamed(c.Command.Flags, "config") != nil && c.Command.Name != "plan":
		hint = name + " -c " + word
	}
	return usage(hint, "%s takes no argument %q", name, word)
}
