package main

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// oneOf reads a flag that has a few words.
func oneOf[T any](flag, word string, words map[string]T) (T, error) {
	v, ok := words[word]
	if !ok {
		all := slices.Sorted(maps.Keys(words))
		return v, fmt.Errorf("cannot read --%s %q: it is one of %s", flag, word, strings.Join(all, ", "))
	}
	return v, nil
}

func readSpec(c *cli.Context) (machine.Spec, error) {
	spec := machine.Spec{
		MaxSurge: c.Int("max-surge"), MaxUnavailable: c.Int("max-unavailable"),
		ReadyTimeout: c.Duration("ready-timeout"), Settle: c.Duration("settle"), Grace: c.Duration("grace"),
		DumpGap: dumpGap,
		LastID:  math.MaxInt32,
		Backoff: machine.Backoff{
			Base: c.Duration("backoff"), Max: c.Duration("max-backoff"), GiveUpAfter: c.Int("give-up-after"),
			StableAfter: stableAfter, RecycleAge: recycleAge, Seed: uint64(time.Now().UnixNano()),
		},
	}
	for _, flag := range []string{"ready-timeout", "settle", "grace", "backoff", "max-backoff"} {
		if c.Duration(flag) < 0 {
			return spec, fmt.Errorf("cannot read --%s: a duration is not negative", flag)
		}
	}
	if spec.Backoff.GiveUpAfter < 0 {
		return spec, fmt.Errorf("cannot read --give-up-after %d: it is not negative", spec.Backoff.GiveUpAfter)
	}
	var err error
	if spec.Workers, err = readWorkers(c.String("workers")); err != nil {
		return spec, err
	}
	if spec.Order, err = oneOf("order", c.String("order"), map[string]machine.Order{
		"start-first": machine.StartFirst, "stop-first": machine.StopFirst,
	}); err != nil {
		return spec, err
	}
	if spec.Reload, err = oneOf("reload", c.String("reload"), map[string]machine.ReloadPolicy{
		"auto": machine.ReloadAuto, "signal": machine.ReloadSignal, "roll": machine.ReloadRoll,
	}); err != nil {
		return spec, err
	}
	if ids := c.String("worker-ids"); ids != "" {
		spec.FirstID, spec.LastID, err = readRange(ids)
	}
	return spec, err
}

const (
	// dumpGap is more than a second, because heap dumps are named by the second: two workers of one directory would
	// write one file.
	dumpGap = 1200 * time.Millisecond
	// stableAfter is how long a worker has to live for its slot's failures to be forgotten.
	stableAfter = time.Minute
	// recycleAge tells a program that recycles itself from one that ends at once for lack of anything to do.
	recycleAge = time.Second
)

// readWorkers reads a number of workers: 4, cpus, 2*cpus+1. The CPUs are those that this process may use, by affinity
// and by the quota of its cgroup.
func readWorkers(word string) (int, error) {
	bad := fmt.Errorf("cannot read --workers %q: it is a number from 1 to %d, cpus, or an expression such as 2*cpus+1", word, machine.MaxWorkers)
	text := strings.ReplaceAll(word, " ", "")
	n := 0
	for term := range strings.SplitSeq(text, "+") {
		product := 1
		for factor := range strings.SplitSeq(term, "*") {
			if factor == "cpus" {
				product *= runtime.GOMAXPROCS(0)
				continue
			}
			v, err := strconv.Atoi(factor)
			if err != nil || v < 0 || v > machine.MaxWorkers {
				return 0, bad
			}
			product *= v
		}
		n += product
		if product > machine.MaxWorkers || n > machine.MaxWorkers {
			return 0, bad
		}
	}
	if n < 1 {
		return 0, bad
	}
	return n, nil
}

func readRange(word string) (first, last int, err error) {
	a, b, ok := strings.Cut(word, "-")
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || last < first || last > math.MaxInt32 {
		return 0, 0, fmt.Errorf("cannot read --worker-ids %q: it is FIRST-LAST, such as 0-1023", word)
	}
	return first, last, nil
}

// readReady reads a proof of readiness.
func readReady(word string) (worker.Readiness, error) {
	kind, rest, _ := strings.Cut(word, ":")
	bad := func(why string) (worker.Readiness, error) {
		return worker.Readiness{}, fmt.Errorf("cannot read --ready %q: %s", word, why)
	}
	switch {
	case word == "auto":
		return worker.Readiness{Kind: worker.ReadyAuto}, nil
	case word == "notify":
		return worker.Readiness{Kind: worker.ReadyNotify}, nil
	case kind == "http" && strings.HasPrefix(rest, "/"):
		return worker.Readiness{Kind: worker.ReadyHTTP, Path: rest}, nil
	case kind == "http":
		return bad("the path begins with /, as in http:/readyz")
	case kind == "exec" && rest != "":
		return worker.Readiness{Kind: worker.ReadyExec, Command: rest}, nil
	case kind == "delay":
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return bad("the delay is a duration, as in delay:2s")
		}
		return worker.Readiness{Kind: worker.ReadyDelay, Delay: d}, nil
	}
	return bad("it is one of auto, notify, http:PATH, exec:COMMAND, delay:DURATION")
}

// checkProbe refuses an HTTP probe that could not tell the workers apart.
func checkProbe(ready worker.Readiness, listen []listener.Config) error {
	if ready.Kind != worker.ReadyHTTP {
		return nil
	}
	for _, l := range listen {
		if l.Mode == listener.PerSlot || l.Mode != listener.Shared && (l.Address.Network == "tcp" || l.Address.Network == "systemd") {
			return nil
		}
	}
	return fmt.Errorf("cannot probe http:%s: it needs a sharded or per-slot TCP listener; on a shared socket any worker may answer", ready.Path)
}
