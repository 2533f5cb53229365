package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ParseSignal reads a signal as kill(1) does: TERM, SIGTERM, sigterm or 15.
func ParseSignal(word string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(word); err == nil {
		if n < 1 || n > 64 {
			return 0, fmt.Errorf("no such signal: %d", n)
		}
		return syscall.Signal(n), nil
	}
	name := strings.ToUpper(word)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if sig := unix.SignalNum(name); sig != 0 {
		return sig, nil
	}
	err := errors.New("no such signal")
	if near := nearest(strings.TrimPrefix(name, "SIG"), signalNames()); near != "" {
		return 0, hinted(err, "did you mean "+quote(near)+"?")
	}
	return 0, hinted(err, "signals are TERM, INT, QUIT, HUP, USR1, USR2, ...; kill -l lists them")
}

func signalNames() []string {
	var names []string
	for sig := range syscall.Signal(32) {
		if name := unix.SignalName(sig); name != "" {
			names = append(names, strings.TrimPrefix(name, "SIG"))
		}
	}
	return names
}
