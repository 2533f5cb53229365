package worker

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstRealtime is what C programs and kill(1) call SIGRTMIN: their library
// keeps the kernel's first two for itself.
const firstRealtime = 34

// SignalName is "SIGTERM" for 15 and "SIGRTMIN+2" for 36: numbers in log lines
// make people look them up.
func SignalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	if sig >= firstRealtime && sig <= 64 {
		return "SIGRTMIN+" + strconv.Itoa(int(sig)-firstRealtime)
	}
	return "signal " + strconv.Itoa(int(sig))
}
