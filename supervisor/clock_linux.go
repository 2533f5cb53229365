package supervisor

import (
	"strings"

	"golang.org/x/sys/unix"
)

// monotonicUsec is CLOCK_MONOTONIC in microseconds, as RELOADING=1 wants it.
func monotonicUsec() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano() / 1000
}

// oneLine keeps a text from ending its datagram line early.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }
