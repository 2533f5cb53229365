package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/broodctl/brood/supervisor/machine"
)

// Count is a number of workers: 4, "cpus", or an expression such as "2*cpus+1", where cpus are the CPUs that brood may
// use.
type Count string

// Of returns the number on a machine with so many CPUs, or an error if it is not from 1 to machine.MaxWorkers.
func (c Count) Of(cpus int) (int, error) {
	n, bad := 0, fmt.Errorf("it is a number from 1 to %d, cpus, or an expression such as 2*cpus+1", machine.MaxWorkers)
	text := strings.ReplaceAll(string(c), " ", "")
	for term := range strings.SplitSeq(text, "+") {
		product := 1
		for factor := range strings.SplitSeq(term, "*") {
			v := cpus
			if factor != "cpus" {
				var err error
				if v, err = strconv.Atoi(factor); err != nil || !digits(factor) {
					return 0, hinted(bad, didYouMeanCPUs(text, factor))
				}
			}
			if product *= v; v > machine.MaxWorkers || product > machine.MaxWorkers {
				return 0, bad
			}
		}
		if n += product; n > machine.MaxWorkers {
			return 0, bad
		}
	}
	if n < 1 {
		return 0, bad
	}
	return n, nil
}

func didYouMeanCPUs(text, factor string) string {
	if factor == "auto" || factor == "ncpu" || nearest(factor, []string{"cpus"}) != "" {
		return "did you mean " + quote(strings.Replace(text, factor, "cpus", 1)) + "?"
	}
	return ""
}

// numberOrString marks the types that a file may have as a number or as a string.
func (*Count) numberOrString() {}

// Workers is how many workers a pool has: a Count, or between which two there are as many as it takes.
type Workers struct {
	Min   Count `toml:"min,omitempty"` // default 1
	Max   Count `toml:"max,omitempty"`
	Count Count // written without a table; "" if there are bounds
}

// follows reports whether the number follows the load.
func (w *Workers) follows() bool { return w.Count == "" }

// Share is a number of workers, or a part of them: 1, "25%".
type Share string

// Of returns the number, or the parts of a hundred; the other is 0.
func (s Share) Of() (number, percent int, err error) {
	if text, ok := strings.CutSuffix(string(s), "%"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || !digits(text) || n > machine.MaxSurgePercent {
			return 0, 0, fmt.Errorf("a share is from 0%% to %d%% of the workers", machine.MaxSurgePercent)
		}
		return 0, n, nil
	}
	n, err := strconv.Atoi(string(s))
	if err != nil || !digits(string(s)) || n > machine.MaxWorkers {
		return 0, 0, fmt.Errorf("it is a number from 0 to %d, or a share of the workers such as 25%%", machine.MaxWorkers)
	}
	return n, 0, nil
}

func (*Share) numberOrString() {}
