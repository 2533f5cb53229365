package config

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/worker"
)

// Limit is a limit of setrlimit(2): 65535, "1024:65535" (soft:hard), "infinity"; where bytes are counted also "64M",
// with K, M, G and T for powers of 1024, as systemd counts.
type Limit string

func (*Limit) numberOrString() {}

// resource is a limit's number, and whether it counts bytes.
type resource struct {
	number int
	unit   unit
}

// infinity is what setrlimit(2) calls RLIM_INFINITY.
const infinity = "infinity"

type unit uint8

const (
	things unit = iota
	octets
)

// resourceOf finds a resource by its key in [pool.NAME.limits].
func resourceOf(key string) resource {
	return map[string]resource{
		"nofile":  {unix.RLIMIT_NOFILE, things},
		"nproc":   {unix.RLIMIT_NPROC, things},
		"core":    {unix.RLIMIT_CORE, octets},
		"as":      {unix.RLIMIT_AS, octets},
		"stack":   {unix.RLIMIT_STACK, octets},
		"memlock": {unix.RLIMIT_MEMLOCK, octets},
		"fsize":   {unix.RLIMIT_FSIZE, octets},
	}[key]
}

var (
	errLimitBytes  = errors.New("it is a number of bytes such as 64M, SOFT:HARD, or infinity")
	errLimitThings = errors.New("it is a number, SOFT:HARD, or infinity")
)

func (l Limit) of(r resource) (worker.Limit, error) {
	soft, hard, both := strings.Cut(string(l), ":")
	if !both {
		hard = soft
	}
	low, err := r.read(soft)
	if err != nil {
		return worker.Limit{}, err
	}
	high, err := r.read(hard)
	switch {
	case err != nil:
		return worker.Limit{}, err
	case low > high:
		return worker.Limit{}, errors.New("the soft limit, which comes first, is above the hard one")
	}
	return worker.Limit{Resource: r.number, Soft: low, Hard: high}, nil
}

func (r resource) read(text string) (uint64, error) {
	if text == infinity {
		return math.MaxUint64, nil
	}
	bad := errLimitThings
	n, err := strconv.ParseUint(text, 10, 64)
	if r.unit == octets {
		bad = errLimitBytes
		n, err = parseBytes(text)
	}
	if text == "unlimited" || text == "-1" {
		return 0, hinted(bad, "did you mean "+quote(infinity)+"?")
	}
	// The largest number is what the kernel takes for infinity, which has a word.
	if err != nil || n == math.MaxUint64 {
		return 0, bad
	}
	return n, nil
}
