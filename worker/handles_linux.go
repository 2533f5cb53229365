package worker

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Handling is what a signal would do to a process.
type Handling uint8

const (
	// Dies: neither caught nor ignored, and the default action ends (or stops)
	// the process. This is proof.
	Dies Handling = iota
	// Ignores: ignored, or without a default action.
	Ignores
	// Catches: a handler is installed.
	Catches
	// CatchesAll: a handler is installed, but by a runtime that catches every
	// signal and may end the process by itself: Go, Ruby, the JVM.
	CatchesAll
	// Harms: a handler is installed, and it must never be triggered, whoever asks
	// for it: SIGUSR1 makes Node open its inspector, which runs any code for
	// anybody who can connect.
	Harms
)

func (h Handling) String() string {
	switch h {
	case Dies:
		return "dies"
	case Ignores:
		return "ignores"
	case Catches:
		return "catches"
	case CatchesAll:
		return "catches all"
	case Harms:
		return "harms"
	}
	return "Handling(" + strconv.Itoa(int(h)) + ")"
}

// Surveyor asks how processes handle signals. It remembers which executables
// have a runtime of their own way with signals, because reading them is slow and a
// signal is relayed to all workers at once. Use one per pool: that a runtime is
// loaded as a library is remembered for the executable too. The zero value is
// ready; it may be used from several goroutines.
type Surveyor struct {
	mu    sync.Mutex
	known map[executableID]runtimes
}

// executableID changes when a file is replaced or rewritten.
type executableID struct {
	dev, ino uint64
	changed  unix.Timespec
}

// Handles tells what sig would do to a process now. A process that has just
// executed its program has not yet installed its handlers.
func (s *Surveyor) Handles(pid int, sig syscall.Signal) (Handling, error) {
	status, err := os.ReadFile(procPath(pid, "status"))
	if err != nil {
		return Dies, fmt.Errorf("cannot read signals of process %d: %w", pid, err)
	}
	ignored, err := signalSet(status, "SigIgn:")
	if err != nil {
		return Dies, fmt.Errorf("cannot read signals of process %d: %w", pid, err)
	}
	caught, err := signalSet(status, "SigCgt:")
	if err != nil {
		return Dies, fmt.Errorf("cannot read signals of process %d: %w", pid, err)
	}
	bit := uint64(1) << (uint(sig) - 1)
	switch {
	case ignored&bit != 0:
		return Ignores, nil
	case caught&bit == 0:
		if slices.Contains(harmless, sig) {
			return Ignores, nil
		}
		return Dies, nil
	}
	has, err := s.runtimes(pid)
	switch {
	case err != nil:
		return Dies, fmt.Errorf("cannot find runtime of process %d: %w", pid, err)
	case has.node && sig == syscall.SIGUSR1:
		return Harms, nil
	case has.catchesAll:
		return CatchesAll, nil
	}
	return Catches, nil
}

// harmless are the signals whose default action is none: signal(7).
var harmless = []syscall.Signal{syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGCONT}

func signalSet(status []byte, field string) (uint64, error) {
	_, rest, ok := bytes.Cut(status, []byte("\n"+field))
	if !ok {
		return 0, fmt.Errorf("there is no %s", field)
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
}

func procPath(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/" + file }
