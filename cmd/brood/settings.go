package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// settings are what the flags of brood run say, read and checked.
type settings struct {
	name      string
	control   string
	argv      []string
	env       []worker.Var
	dir       string
	listen    []listener.Config
	spec      machine.Spec
	ready     worker.Readiness
	signals   worker.Signals
	orphans   worker.OrphanPolicy
	idEnv     []string
	fdsEnv    []string
	output    string
	logLevel  string
	logFormat string
	noColor   bool
}

// readSettings reports every mistake in the flags at once.
func readSettings(c *cli.Context) (*settings, error) {
	set := &settings{
		name: c.String("name"), control: c.String("control"), argv: c.Args().Slice(), dir: c.String("dir"),
		idEnv: c.StringSlice("worker-id-env"), fdsEnv: c.StringSlice("fds-env"),
		output: c.String("worker-output"), logLevel: c.String("log-level"), logFormat: c.String("log-format"),
		noColor: c.Bool("no-color"),
	}
	if len(set.argv) == 0 {
		return nil, usage("brood run -n 4 -l 127.0.0.1:8080 -- node server.js", "brood run needs a command")
	}
	if set.name == "" {
		set.name = defaultName(set.argv[0])
	}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	var err error
	set.spec, err = readSpec(c)
	check(err)
	for _, word := range c.StringSlice("listen") {
		l, err := listener.ParseFlag(word)
		check(err)
		set.listen = append(set.listen, l)
	}
	for _, word := range c.StringSlice("env") {
		v, err := readVar(word)
		check(err)
		set.env = append(set.env, v)
	}
	set.ready, err = readReady(c.String("ready"))
	check(err)
	check(checkProbe(set.ready, set.listen))
	set.signals, err = readSignals(c)
	check(err)
	set.orphans, err = oneOf("orphans", c.String("orphans"), map[string]worker.OrphanPolicy{
		"kill": worker.OrphanKill, "term": worker.OrphanTerm, "keep": worker.OrphanKeep,
	})
	check(err)
	_, err = oneOf("worker-output", set.output, outputModes())
	check(err)
	if set.orphans == worker.OrphanKeep && (set.output == "prefix" || set.output == "tail") {
		check(fmt.Errorf("cannot keep orphans with --worker-output %s: they would die of the broken pipe; use inherit", set.output))
	}
	_, err = oneOf("log-format", set.logFormat, map[string]bool{"auto": true, "json": true, "text": true})
	check(err)
	_, err = logLevel(set.logLevel)
	check(err)
	if len(errs) > 0 {
		return nil, &userError{code: exitUsage, err: errors.Join(errs...), hint: "brood run --help lists the flags"}
	}
	set.adjust(c)
	if err := set.spec.Validate(); err != nil {
		return nil, &userError{code: exitUsage, err: err, hint: "brood run --help lists the flags"}
	}
	return set, nil
}

// adjust fits what was not said to what was. A program with a port of its own cannot overlap with its successor on it.
func (set *settings) adjust(c *cli.Context) {
	for _, l := range set.listen {
		if l.Mode == listener.PerSlot && !c.IsSet("order") {
			set.spec.Order = machine.StopFirst
		}
	}
	if set.spec.Order == machine.StopFirst && !c.IsSet("max-unavailable") {
		set.spec.MaxUnavailable = 1
	}
	if len(set.listen) == 0 && !c.IsSet("settle") {
		set.spec.Settle = 0 // nobody is steered
	}
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

func readVar(word string) (worker.Var, error) {
	name, value, ok := strings.Cut(word, "=")
	if !ok || name == "" || strings.ContainsRune(word, 0) {
		return worker.Var{}, fmt.Errorf("cannot read --env %q: it is NAME=VALUE", word)
	}
	return worker.Var{Name: name, Value: value}, nil
}

func readSignals(c *cli.Context) (worker.Signals, error) {
	var errs []error
	read := func(flag string) syscall.Signal {
		sig, err := parseSignal(c.String(flag))
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot read --%s: %w", flag, err))
		}
		return sig
	}
	s := worker.Signals{
		Stop: read("stop-signal"), Reload: read("reload-signal"), Dump: read("dump-signal"),
		DumpNamed: c.IsSet("dump-signal"),
	}
	return s, errors.Join(errs...)
}

func outputModes() map[string]logs.Mode {
	return map[string]logs.Mode{"auto": logs.Tail, "prefix": logs.Prefix, "tail": logs.Tail, "inherit": logs.Inherit}
}
