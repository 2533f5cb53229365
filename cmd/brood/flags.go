package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// env is the variable that sets a flag: BROOD_ and the flag's name.
func env(flag string) []string {
	return []string{"BROOD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

func stringFlag(name, value, usage string, aliases ...string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Aliases: aliases, Value: value, Usage: usage, EnvVars: env(name)}
}

func listFlag(name, usage string, aliases ...string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Name: name, Aliases: aliases, Usage: usage, EnvVars: env(name)}
}

func intFlag(name string, value int, usage string) *cli.IntFlag {
	return &cli.IntFlag{Name: name, Value: value, Usage: usage, EnvVars: env(name)}
}

func durationFlag(name string, value time.Duration, usage string) *cli.DurationFlag {
	return &cli.DurationFlag{Name: name, Value: value, Usage: usage, EnvVars: env(name)}
}

func boolFlag(name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

// runFlags are the flags of brood run, in the order of its help.
func runFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("workers", "cpus", "how many: `N`, cpus, or an expression such as 2*cpus+1", "n"),
		listFlag("listen", "`[NAME=]ADDRESS`: :8080, 127.0.0.1:8080, [::1]:80, unix:/run/x.sock, udp:127.0.0.1:53, "+
			"systemd:NAME; options follow behind commas: mode=sharded|shared|per-slot, steer=random|client-ip|cpu, "+
			"backlog=N, perm=0660, owner=USER[:GROUP]. Repeatable", "l"),
		listFlag("env", "`NAME=VALUE` for the workers; a template such as {{.Port.http}} is filled in. Repeatable", "e"),
		stringFlag("dir", "", "working `DIRECTORY` of the workers; a template"),
		stringFlag("name", "", "`NAME` of the supervisor and its pool; default: the command's"),
		stringFlag("control", "", "`PATH` of the control socket"),

		stringFlag("ready", "auto", "what proves that a worker serves: auto, notify, http:PATH, exec:COMMAND, delay:DURATION"),
		durationFlag("ready-timeout", time.Minute, "a worker that is not ready by then is replaced; 0 waits for ever"),
		durationFlag("settle", time.Second, "pause between steering away from a worker and stopping it"),
		durationFlag("grace", 30*time.Second, "time a worker has to leave before its process group is killed"),

		stringFlag("order", "start-first", "of a replacement: start-first, or stop-first for programs that must not overlap"),
		intFlag("max-surge", 1, "workers above the wanted number during a rollout"),
		intFlag("max-unavailable", 0, "ready workers that a rollout may be short of"),
		stringFlag("reload", "auto", "what a reload does: auto, signal, roll"),
		stringFlag("stop-signal", "TERM", "tells a worker to leave; QUIT for nginx"),
		stringFlag("reload-signal", "HUP", "tells a worker to read its configuration again"),
		stringFlag("dump-signal", "USR2", "tells a worker to write a heap dump"),

		stringFlag("worker-ids", "", "`FIRST-LAST` that worker ids are taken from"),
		listFlag("worker-id-env", "further `VARIABLE` with the worker id. Repeatable"),
		listFlag("fds-env", "further `VARIABLE` with the sockets as JSON. Repeatable"),

		durationFlag("backoff", 500*time.Millisecond, "before the second restart in a row; doubles from there"),
		durationFlag("max-backoff", 30*time.Second, "longest pause between restarts"),
		intFlag("give-up-after", 0, "failures in a row of one slot that stop everything; 0 never gives up"),
		stringFlag("orphans", "kill", "workers of a killed supervisor: kill, term or keep them"),

		stringFlag("worker-output", "auto", "auto, prefix, tail, inherit; auto is prefix on a terminal, else tail"),
		stringFlag("log-level", "info", "trace, debug, info, warn, error"),
		stringFlag("log-format", "auto", "auto, json, text; auto is text on a terminal"),
		boolFlag("no-color", "no colours, as NO_COLOR"),
	}
}

// targetFlags say which supervisor a command is for.
func targetFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		stringFlag("name", "", "`NAME` of the supervisor"),
		stringFlag("control", "", "`PATH` of its control socket"),
	}, more...)
}

func outputFlag() cli.Flag { return stringFlag("output", "table", "table or json", "o") }

func poolFlag() cli.Flag { return stringFlag("pool", "", "only the `POOL` of this name") }
