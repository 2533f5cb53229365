package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
)

// figure measures one or several rows of the table.
type figure struct {
	name    string
	measure func(*bench) ([]row, error)
}

// figures are measured in this order: the quiet ones before those with load.
func figures() []figure {
	return []figure{
		{"launch", measureLaunch},
		{"respawn", measureRespawn},
		{"respawn-all", measureRespawnAll},
		{"relay", measureRelay},
		{"stop", measureStop},
		{"memory", measureMemory},
		{"idle", measureIdle},
		{"logs", measureLogs},
		{"requests", measureRequests},
		{"uneven", measureUneven},
		{"saturated", measureSaturated},
		{"aware-idle", measureAwareIdle},
		{"rollouts", measureRollouts},
		{"kills", measureKills},
	}
}

// bench is one run of the command.
type bench struct {
	tools
	rounds int
	note   io.Writer // progress
}

var errMissed = errors.New("a target was missed")

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	brood := flags.String("brood", "bin/brood", "the `program` to measure")
	only := flags.String("only", "", "measure the figures whose names match this `regexp`")
	rounds := flags.Int("rounds", 5, "take the median of so many")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	pattern, err := regexp.Compile(*only)
	if err != nil || *rounds < 1 {
		_, _ = fmt.Fprintf(stderr, "bench: bad -only or -rounds: %v\n", err)
		return 2
	}
	err = measure(*brood, pattern, *rounds, stdout, stderr)
	switch {
	case errors.Is(err, errMissed):
		return 1
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func measure(brood string, only *regexp.Regexp, rounds int, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "brood-bench-")
	if err != nil {
		return fmt.Errorf("cannot create directory: %w", err)
	}
	defer os.RemoveAll(dir)
	t, err := buildTools(dir, brood)
	if err != nil {
		return err
	}
	b := &bench{tools: t, rounds: rounds, note: stderr}
	if err := printHead(stdout); err != nil {
		return err
	}
	var verdicts error
	for _, f := range figures() {
		if !only.MatchString(f.name) {
			continue
		}
		rows, err := f.measure(b)
		if err != nil {
			return fmt.Errorf("cannot measure %s: %w", f.name, err)
		}
		for _, r := range rows {
			if r.met == missed {
				verdicts = errMissed
			}
			if err := r.print(stdout); err != nil {
				return err
			}
		}
	}
	return verdicts
}
