package control

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// parseSignal reads a signal as kill(1) does: USR1, SIGUSR1, sigusr1 or 10.
func parseSignal(word string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(word); err == nil && n >= 1 && n <= 64 {
		return syscall.Signal(n), nil
	}
	name := strings.ToUpper(word)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if sig := unix.SignalNum(name); sig != 0 {
		return sig, nil
	}
	return 0, fmt.Errorf("cannot signal: no such signal: %q", word)
}
