package main

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/contrib/completions"
	"github.com/broodctl/brood/internal/control"
)

// lookup finds what runs, for completions.
type lookup struct {
	name, control string
}

// lookTime is how long supervisors may take to answer before somebody who has pressed TAB is left alone.
const lookTime = 100 * time.Millisecond

// enumerated are the words of flags that take one of some, or something that begins with one, which then ends with a colon.
func enumerated() map[string][]string {
	signals := []string{"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH", "CONT"}
	return map[string][]string{
		"output":        {formatTable, formatJSON},
		"log-level":     {"trace", "debug", "info", "warn", "error"},
		"log-format":    {"auto", "json", "text"},
		"ready":         {"auto", "notify", "http:", "tcp", "exec:", "delay:"},
		"order":         {"start-first", "stop-first"},
		"reload":        {"auto", "signal", "roll"},
		"restart":       {"always", "on-failure", "never"},
		"orphans":       {"kill", "term", "keep"},
		"worker-output": {"auto", "prefix", "json", "file:", "journald", "tail", "inherit"},
		"workers":       {"cpus"},
		"cpus":          {"spread", "nodes", "node:"},
		"ioprio":        {"idle", "best-effort:", "realtime:"},
		"capabilities":  {"none"},
		"limit": {
			"nofile=", "nproc=", "core=", "as=", "stack=", "memlock=", "fsize=", "memory_max=", "memory_high=", "memory_low=",
			"cpu_max=", "cpu_weight=", "pids_max=", "io_weight=",
		},
		"stop-signal": signals, "reload-signal": signals, "dump-signal": signals, "clean-exit": {"TERM", "143"},
		"kind": kindWords(), "stream": {"stdout", "stderr"}, "sort": sortWords(), "log-file-format": {"plain", "prefix", "json"},
	}
}

// valuesOf is what a flag may be.
func valuesOf(command *cli.Command, flag string, look lookup) completion {
	f := flagNamed(command.Flags, flag)
	if f == nil {
		return completion{}
	}
	if _, is := f.(*cli.BoolFlag); is {
		return plain("true", "false")
	}
	flag = f.(cli.Flag).Names()[0]
	switch flag {
	case "config", "from", "env-file", "control", "binary", "log-file":
		return completion{then: thenFiles}
	case "dir", "root", "output-dir":
		return completion{then: thenDirs}
	case "name":
		if command.Name == commandRun {
			return completion{}
		}
		return plain(look.supervisors()...)
	case "pool":
		pools, _ := look.places()
		return completion{candidates: pools}
	}
	return plain(enumerated()[flag]...)
}

// argumentsOf is what the next argument of a command may be.
func argumentsOf(command *cli.Command, before int, look lookup) completion {
	switch command.Name {
	case "completion":
		if before == 0 {
			return plain(completions.Shells()...)
		}
	case "fleet":
		if before == 0 {
			return plain(fleetVerbs()...)
		}
	case "restart", "signal", "logs":
		if before == 1 && command.Name == "signal" {
			return plain(enumerated()["stop-signal"]...)
		}
		if before > 0 {
			break
		}
		pools, slots := look.places()
		if command.Name == "restart" {
			pools = nil
		}
		return completion{candidates: append(pools, slots...)}
	}
	return completion{}
}

func plain(words ...string) completion {
	var c completion
	for _, word := range words {
		c.candidates = append(c.candidates, candidate{word: word})
	}
	return c
}

// supervisors are the names that have a socket. Nobody is asked.
func (l lookup) supervisors() []string {
	var names []string
	found, _ := control.Find(os.Getenv, os.Geteuid(), "")
	for _, path := range found {
		names = append(names, control.Name(path))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// places are the pools and the slots of the supervisors that are meant and answer in time.
func (l lookup) places() (pools, slots []candidate) {
	paths := []string{l.control}
	if l.control == "" {
		if l.name != "" && control.CheckName(l.name) != nil {
			return nil, nil
		}
		paths, _ = control.Find(os.Getenv, os.Geteuid(), l.name)
	}
	for _, s := range survey(context.Background(), paths, lookTime) {
		for i := range s.snap.Pools {
			p := &s.snap.Pools[i]
			pools = append(pools, candidate{p.Name, strconv.Itoa(p.Ready) + "/" + strconv.Itoa(p.Desired) + " ready"})
			seen := -1
			for j := range p.Workers {
				v := &p.Workers[j]
				if v.Slot == seen { // it is being replaced
					continue
				}
				seen = v.Slot
				slots = append(slots, candidate{p.Name + "." + strconv.Itoa(v.Slot), strings.TrimSpace(v.State + " " + v.Health)})
			}
		}
	}
	return pools, slots
}

// shellWords cuts a command line into words as shells do, and leaves out the program and what is in front of it. The last
// one is at the cursor, and may be empty.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quote, escaped, within := rune(0), false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, within = true, true
		case r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, within = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if within {
				words = append(words, word.String())
			}
			word.Reset()
			within = false
		default:
			word.WriteRune(r)
			within = true
		}
	}
	words = append(words, word.String())
	for len(words) > 1 && strings.Contains(words[0], "=") {
		words = words[1:] // a variable for the command
	}
	if len(words) == 1 {
		return []string{""}
	}
	return words[1:]
}
