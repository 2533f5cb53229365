package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/host"
)

// fromFlags makes of the flags what a file would have said, and lists what could not be read. What was not said is left
// to the defaults of package config.
func fromFlags(c *cli.Context) (*config.File, []error, error) {
	argv := c.Args().Slice()
	if len(argv) == 0 {
		return nil, nil, usage("brood run -n 4 -l 127.0.0.1:8080 -- node server.js, or brood run -c brood.toml", "brood run needs a command, or a configuration file")
	}
	name := c.String("name")
	if name == "" {
		name = defaultName(argv[0])
	}
	f := &config.File{
		Supervisor: config.SupervisorTable{
			Name: name, Control: config.ControlTable{Path: c.String("control")}, HTTP: c.String("http"), LogLevel: c.String("log-level"), LogFormat: c.String("log-format"),
		},
		Listen: map[string]config.ListenTable{},
	}
	r := &flagReader{c: c}
	pool := config.PoolTable{
		Command: argv, Workers: r.workers(),
		EnvFile: c.StringSlice("env-file"), Dir: c.String("dir"), User: c.String("user"), Group: c.String("group"), Umask: c.String("umask"),
		WorkerIDs: c.String("worker-ids"), WorkerIDEnv: c.StringSlice("worker-id-env"), FDsEnv: c.StringSlice("fds-env"),
		Ready: r.said("ready"), Reload: r.said("reload"), ReloadSignal: r.said("reload-signal"), DumpSignal: r.said("dump-signal"),
		Orphans: r.said("orphans"), Log: r.log(),
		Requires: c.StringSlice("requires"), RequiresTimeout: r.duration("requires-timeout"), PreStart: c.StringSlice("pre-start"),
		Env: r.pairs("env"), Credentials: r.pairs("credential"), Limits: r.limits(), Process: r.process(),
		Stop:    config.StopTable{Signal: r.said("stop-signal"), Grace: r.duration("grace"), Delay: r.duration("stop-delay")},
		Restart: r.restart(),
		Rollout: r.rollout(),
	}
	r.health(&pool)
	pool.Listen = r.listeners(f.Listen)
	f.Pool = map[string]config.PoolTable{name: pool}
	return f, r.errs, nil
}

const runHint = "brood run --help lists the flags"

// flagReader reads flags whose absence means something, and collects what is wrong.
type flagReader struct {
	c    *cli.Context
	errs []error
}

func (r *flagReader) bad(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

// said is the value of a flag that was given, else "".
func (r *flagReader) said(flag string) string {
	if r.c.IsSet(flag) {
		return r.c.String(flag)
	}
	return ""
}

func (r *flagReader) duration(flag string) *config.Duration {
	if !r.c.IsSet(flag) {
		return nil
	}
	d := config.Duration(r.c.Duration(flag))
	return &d
}

func (r *flagReader) share(flag string) *config.Share {
	if !r.c.IsSet(flag) {
		return nil
	}
	s := config.Share(r.c.String(flag))
	return &s
}

// pairs reads the NAME=VALUE of a flag that may be repeated; of several with one name the last counts.
func (r *flagReader) pairs(flag string) map[string]string {
	m := map[string]string{}
	for _, word := range r.c.StringSlice(flag) {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" || strings.ContainsRune(word, 0) {
			r.bad("cannot read --%s %q: it is NAME=VALUE", flag, word)
			continue
		}
		m[name] = value
	}
	return m
}

func (r *flagReader) process() config.ProcessTable {
	t := config.ProcessTable{IOPrio: r.said("ioprio"), CPUs: r.said("cpus"), NoNewPrivs: r.c.Bool("no-new-privs")}
	if r.c.IsSet("nice") {
		t.Nice = new(config.Nice(r.c.Int("nice")))
	}
	if r.c.IsSet("oom-score-adj") {
		t.OOMScoreAdj = new(config.OOMScore(r.c.Int("oom-score-adj")))
	}
	switch word := r.said("capabilities"); word {
	case "":
	case "none":
		t.Capabilities = new([]string)
	default:
		t.Capabilities = new(strings.Split(word, ","))
	}
	return t
}

func (r *flagReader) restart() config.RestartTable {
	t := config.RestartTable{Policy: r.said("restart"), Backoff: r.duration("backoff"), MaxBackoff: r.duration("max-backoff")}
	for _, word := range r.c.StringSlice("clean-exit") {
		t.CleanExits = append(t.CleanExits, config.ExitWord(word))
	}
	if r.c.IsSet("give-up-after") {
		n := r.c.Int("give-up-after")
		t.GiveUpAfter = &n
	}
	return t
}

func (r *flagReader) rollout() config.RolloutTable {
	return config.RolloutTable{
		MaxSurge: r.share("max-surge"), MaxUnavailable: r.share("max-unavailable"), ReadyTimeout: r.duration("ready-timeout"),
		MinReady: r.duration("min-ready"), Canary: r.duration("canary"), Settle: r.duration("settle"), Order: r.said("order"),
	}
}

// listeners fills the table of listeners, and returns the names in the order of the flags. What systemd passes and no
// flag names comes behind them.
func (r *flagReader) listeners(into map[string]config.ListenTable) []string {
	var names []string
	for _, word := range r.c.StringSlice("listen") {
		l, err := listener.ParseFlag(word)
		if err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		if _, twice := into[l.Name]; twice {
			r.bad("cannot read --listen %q: there is another listener %s; give it a name of its own, as in admin=:9090", word, l.Name)
			continue
		}
		names = append(names, l.Name)
		into[l.Name] = tableOf(l)
	}
	if os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) {
		names = append(names, host.EverySpare)
	}
	return names
}

func tableOf(l listener.Config) config.ListenTable {
	t := config.ListenTable{Address: l.Address.String(), Backlog: l.Backlog}
	if l.Mode != listener.Auto {
		t.Mode = l.Mode.String()
	}
	if l.Steer != listener.Random {
		t.Steer = l.Steer.String()
	}
	if l.Perm != 0 {
		t.Perm = fmt.Sprintf("%04o", l.Perm)
	}
	if l.QueueAware != l.DefaultQueueAware() {
		t.QueueAware = new(l.QueueAware)
	}
	t.Owner = l.Owner
	if l.Group != "" {
		t.Owner += ":" + l.Group
	}
	return t
}

// flagOf is the flag that fills a key of the only pool.
func flagOf(key string) string {
	words := strings.Split(key, ".")
	last := strings.TrimRight(words[len(words)-1], "]0123456789[")
	switch {
	case len(words) > 1 && words[0] == "listen":
		return "--listen"
	case len(words) > 2 && words[2] == "env":
		return "--env"
	case len(words) > 2 && words[2] == "credentials":
		return "--credential"
	case len(words) > 2 && words[2] == "limits":
		return "--limit"
	case len(words) == 2 && words[0] == "supervisor":
		return "--" + strings.ReplaceAll(last, "_", "-")
	case last == "command":
		return "the command"
	}
	name, ok := map[string]string{
		"pool.stop.signal": "stop-signal", "pool.stop.delay": "stop-delay", "pool.log.mode": "worker-output", "pool.log.file": "log-file", "pool.log.format": "log-file-format", "pool.log.keep": "log-keep",
		"pool.log.max_size": "log-max-size", "pool.log.max_age": "log-max-age", "pool.log.compress": "log-compress",
		"pool.restart.policy": "restart", "pool.restart.clean_exits": "clean-exit",
		"pool.workers.min": "workers", "pool.workers.max": "max-workers", "pool.readiness.http": "readiness-http", "pool.liveness.http": "liveness-http",
	}["pool."+strings.Join(append(words[min(2, len(words)):len(words)-1], last), ".")]
	if !ok {
		name = strings.ReplaceAll(last, "_", "-")
	}
	return "--" + name
}

func defaultName(command string) string {
	name := strings.TrimSuffix(filepath.Base(command), filepath.Ext(command))
	name = strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r) {
			return r
		}
		return '-'
	}, name), "-_.")
	if name == "" || len(name) > 64 {
		return "brood"
	}
	return name
}
