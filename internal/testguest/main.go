package testguest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	// Word is the first argument that makes a program a guest.
	Word = "testguest"
	// Env is the environment variable that does the same; it holds the guest's
	// name and flags, separated by spaces. It has no BROOD_ prefix, because such
	// variables never reach a worker.
	Env = "TESTGUEST"

	lifetime     = 10 * time.Minute // no guest lives longer
	exitTooOld   = 99
	exitOrphaned = 98
	exitUsage    = 2
	exitFailure  = 1
)

// guest is one program: it gets its flags and returns its exit code.
type guest func(args []string) int

// lookup finds a guest by name.
func lookup(name string) guest {
	switch name {
	case "http":
		return serveHTTP
	case "slow-ready":
		return slowReady
	case "never-ready":
		return neverReady
	case "stubborn":
		return stubborn
	case "crashing":
		return crashing
	case "recycling":
		return recycling
	case "forking":
		return forking
	case "port-only":
		return portOnly
	case "watchdog":
		return watchdog
	case "leak":
		return leak
	case "forkbomb":
		return forkbomb
	case "leaver":
		return leaver
	case "daemon":
		return daemon
	case "shutdown":
		return shutdown
	case "clearer":
		return clearer
	case "talking":
		return talking
	case "child":
		return child
	}
	return nil
}

// Main does nothing unless the arguments or the environment name a guest; then it
// runs it and exits. Call it first in TestMain or main.
func Main() {
	words := strings.Fields(os.Getenv(Env))
	if len(os.Args) > 1 && os.Args[1] == Word {
		words = os.Args[2:]
	} else if len(words) == 0 {
		return
	}
	os.Exit(Run(words))
}

// Run runs a guest named by its first word in this process and gives its exit
// code.
func Run(words []string) int {
	if len(words) == 0 {
		fmt.Fprintln(os.Stderr, "testguest: no guest is named")
		return exitUsage
	}
	run := lookup(words[0])
	if run == nil {
		fmt.Fprintf(os.Stderr, "testguest: no guest is called %q\n", words[0])
		return exitUsage
	}
	time.AfterFunc(lifetime, func() { os.Exit(exitTooOld) })
	if err := followNamed(); err != nil {
		return fail(err)
	}
	return run(words[1:])
}

// parse reads flags into what the caller bound; false with the exit code when
// they are wrong.
func parse(flags *flag.FlagSet, args []string) (int, bool) {
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0, false
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
		fmt.Fprintln(os.Stderr, err)
	}
	return exitUsage, err == nil
}

func newFlags(name string) *flag.FlagSet {
	return flag.NewFlagSet(Word+" "+name, flag.ContinueOnError)
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "testguest:", err)
	return exitFailure
}
