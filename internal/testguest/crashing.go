package testguest

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// crashing ends with a code, or by a signal that it sends itself.
func crashing(args []string) int {
	flags := newFlags("crashing")
	code := flags.Int("code", 1, "exit code")
	sig := flags.Int("signal", 0, "`number` of a signal to die of instead")
	after := flags.Duration("after", 0, "how long to live")
	last := flags.String("stderr", "", "last `line` on the standard error")
	if usage, ok := parse(flags, args); !ok {
		return usage
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-signals:
		return 0
	case <-time.After(*after):
	}
	if *last != "" {
		fmt.Fprintln(os.Stderr, *last)
	}
	if *sig == 0 {
		return *code
	}
	signal.Reset()
	// Without this the runtime turns ABRT, SEGV and their like into exit code 2.
	debug.SetTraceback("crash")
	if err := syscall.Kill(os.Getpid(), syscall.Signal(*sig)); err != nil {
		return fail(err)
	}
	// The runtime may run on for a moment before the signal arrives.
	select {}
}
