package testguest

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// neverReady holds its sockets and does nothing with them, until TERM or INT.
func neverReady(args []string) int {
	flags := newFlags("never-ready")
	last := flags.String("stderr", "", "`line` to leave on the standard error")
	if code, ok := parse(flags, args); !ok {
		return code
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if *last != "" {
		fmt.Fprintln(os.Stderr, *last)
	}
	<-signals
	return 0
}
