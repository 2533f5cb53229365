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
	return &cli.StringSliceFlag{Name: name, Aliases: aliases, Usage: usage, EnvVars: env(name), KeepSpace: true}
}

func intFlag(name, usage string) *cli.IntFlag {
	return &cli.IntFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

func durationFlag(name string, value time.Duration, usage string) *cli.DurationFlag {
	return &cli.DurationFlag{Name: name, Value: value, Usage: usage, EnvVars: env(name)}
}

func boolFlag(name, usage string, aliases ...string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Aliases: aliases, Usage: usage, EnvVars: env(name)}
}

// configFlag names a configuration file.
func configFlag() cli.Flag { return stringFlag("config", "", "configuration `FILE`", "c") }

// runFlags are the flags of brood run, in the order of its help: those of the supervisor, then those of its pool.
func runFlags() []cli.Flag {
	return append(supervisorFlags(), poolFlags()...)
}

// supervisorFlags go with a configuration file too, and beat it.
func supervisorFlags() []cli.Flag {
	return []cli.Flag{
		configFlag(),
		boolFlag("print-config", "print what the flags, or the file, come to as a configuration file, and do nothing"),
		stringFlag("name", "", "`NAME` of the supervisor and its pool; default: the command's, or the file's"),
		stringFlag("control", "", "`PATH` of the control socket"),
		stringFlag("http", "", "`ADDRESS` where probes (/livez /readyz /startupz /healthz) and /metrics are answered: a port of 127.0.0.1, "+
			"HOST:PORT, :PORT for everybody, or unix:PATH; default: nowhere"),
		stringFlag("log-level", "info", "trace, debug, info, warn, error"),
		stringFlag("log-format", "auto", "auto, json, text; auto is text on a terminal"),
		boolFlag("no-color", "no colours, as NO_COLOR"),
	}
}

// poolFlags describe one pool. With a configuration file they have no place.
func poolFlags() []cli.Flag {
	return append([]cli.Flag{
		stringFlag("workers", "cpus", "how many: `N`, cpus, or an expression such as 2*cpus+1", "n"),
		stringFlag("max-workers", "", "there are from --workers, or 1, to so many, `N`, as their load takes"),
		listFlag("listen", "`[NAME=]ADDRESS`: :8080, 127.0.0.1:8080, [::1]:80, unix:/run/x.sock, udp:127.0.0.1:53, "+
			"systemd:NAME; options follow behind commas: mode=sharded|shared|per-slot, steer=random|client-ip|cpu, "+
			"queue-aware=true, backlog=N, perm=0660, owner=USER[:GROUP]. Repeatable", "l"),
		listFlag("env", "`NAME=VALUE` for the workers; a template such as {{.Port.http}} is filled in. Repeatable", "e"),
		listFlag("env-file", "`FILE` of variables, as EnvironmentFile= of systemd; may be missing if - is in front. Repeatable"),
		listFlag("credential", "`NAME=FILE`: a secret variable from a file in $CREDENTIALS_DIRECTORY, or an absolute path; path:FILE hands over the path. Repeatable"),
		stringFlag("dir", "", "working `DIRECTORY` of the workers; a template"),
		stringFlag("user", "", "`USER` that the workers run as; a template"),
		stringFlag("group", "", "`GROUP` that the workers run as; a template"),
		stringFlag("umask", "", "of the workers, octal"),
		listFlag("limit", "`NAME=VALUE` of setrlimit: nofile, nproc, core, as, stack, memlock, fsize; of a cgroup for each worker: memory_max, memory_high, "+
			"memory_low, cpu_max, cpu_weight, pids_max, io_weight. Repeatable"),
		intFlag("nice", "of the workers, from -20 to 19; default: brood's own"),
		stringFlag("ioprio", "", "I/O priority of the workers: idle, best-effort:LEVEL, realtime:LEVEL"),
		intFlag("oom-score-adj", "of the workers, from -1000 to 1000; default: brood's own"),
		stringFlag("cpus", "", "where workers run: spread (a CPU each), nodes (a NUMA node each), node:N, or a list such as 0-3,8"),
		boolFlag("no-new-privs", "no program that a worker executes can give it rights"),
		stringFlag("capabilities", "", "the only `CAPABILITIES` that workers keep, with commas between them; none keeps none"),

		stringFlag("ready", "auto", "what proves that a worker serves: auto, notify, http:PATH, tcp, exec:COMMAND, delay:DURATION"),
		durationFlag("ready-timeout", time.Minute, "a worker that is not ready by then is replaced; 0 waits for ever"),
		durationFlag("settle", time.Second, "pause between steering away from a worker and stopping it"),
		durationFlag("grace", 30*time.Second, "time a worker has to leave before its process group is killed"),
		durationFlag("stop-delay", 0, "pause before a worker is stopped in which it serves, but is not ready"),
		listFlag("requires", "what must be there before a worker starts: tcp://HOST:PORT, unix://PATH, env:NAME, file:PATH, exec:COMMAND. Repeatable"),
		durationFlag("requires-timeout", 5*time.Second, "how long to wait for it"),
		listFlag("pre-start", "shell `COMMAND` to run once before the workers of a generation start. Repeatable"),

		stringFlag("order", "start-first", "of a replacement: start-first, or stop-first for programs that must not overlap"),
		stringFlag("max-surge", "1", "workers above the wanted number during a rollout: a number or a percentage"),
		stringFlag("max-unavailable", "0", "ready workers that a rollout may be short of: a number or a percentage"),
		durationFlag("min-ready", 0, "how long the worker of a rollout must be ready to count"),
		durationFlag("canary", 0, "how long the first worker of a rollout must be ready before the others follow"),
		stringFlag("reload", "auto", "what a reload does: auto, signal, roll"),
		stringFlag("stop-signal", "TERM", "tells a worker to leave; QUIT for nginx"),
		stringFlag("reload-signal", "HUP", "tells a worker to read its configuration again"),
		stringFlag("dump-signal", "USR2", "tells a worker to write a heap dump"),

		stringFlag("worker-ids", "", "`FIRST-LAST` that worker ids are taken from"),
		listFlag("worker-id-env", "further `VARIABLE` with the worker id. Repeatable"),
		listFlag("fds-env", "further `VARIABLE` with the sockets as JSON. Repeatable"),

		stringFlag("restart", "always", "which deaths are followed by another worker: always, on-failure, never"),
		listFlag("clean-exit", "`STATUS` or signal, beside 0, that is no failure: 143, TERM. Repeatable"),
		durationFlag("backoff", 500*time.Millisecond, "before the second restart in a row; doubles from there"),
		durationFlag("max-backoff", 30*time.Second, "longest pause between restarts"),
		intFlag("give-up-after", "failures in a row of one slot that stop its pool; 0 never gives up"),
		stringFlag("orphans", "kill", "workers of a killed supervisor: kill, term or keep them"),
	}, append(outputFlags(), healthFlags()...)...)
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
