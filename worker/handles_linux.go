package worker

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	}
	return "Handling(" + strconv.Itoa(int(h)) + ")"
}

// Surveyor asks how processes handle signals. It remembers which executables
// have a runtime that catches everything, because reading them is slow and a
// signal is relayed to all workers at once. Use one per pool: that a runtime is
// loaded as a library is remembered for the executable too. The zero value is
// ready; it may be used from several goroutines.
type Surveyor struct {
	mu    sync.Mutex
	known map[executableID]bool
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
	catchesAll, err := s.catchesAll(pid)
	if err != nil {
		return Dies, fmt.Errorf("cannot find runtime of process %d: %w", pid, err)
	}
	if catchesAll {
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

func (s *Surveyor) catchesAll(pid int) (bool, error) {
	exe := procPath(pid, "exe")
	var st unix.Stat_t
	if err := unix.Stat(exe, &st); err != nil {
		return false, err
	}
	//nolint:unconvert // mips has a smaller type
	id := executableID{dev: uint64(st.Dev), ino: st.Ino, changed: st.Ctim}
	s.mu.Lock()
	answer, ok := s.known[id]
	s.mu.Unlock()
	if ok {
		return answer, nil
	}
	answer, err := hasCatchingRuntime(pid, exe)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[executableID]bool{}
	}
	s.known[id] = answer
	return answer, nil
}

func hasCatchingRuntime(pid int, exe string) (bool, error) {
	if target, err := os.Readlink(exe); err == nil {
		name := filepath.Base(target)
		if strings.HasPrefix(name, "ruby") || strings.HasPrefix(name, "jruby") || name == "java" {
			return true, nil
		}
	}
	maps, err := os.ReadFile(procPath(pid, "maps"))
	if err != nil {
		return false, err
	}
	if bytes.Contains(maps, []byte("/libruby")) || bytes.Contains(maps, []byte("/libjvm.so")) {
		return true, nil
	}
	return isGo(exe)
}

// isGo looks for what the Go linker leaves in each program: sections that
// strip(1) keeps, or the note of the build id, which survives even the removal
// of the section table.
func isGo(exe string) (bool, error) {
	f, err := elf.Open(exe)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if f.Section(".go.buildinfo") != nil || f.Section(".note.go.buildid") != nil {
		return true, nil
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		// Notes are small; the limit only guards against nonsense.
		note, err := io.ReadAll(io.LimitReader(p.Open(), 64<<10))
		if err == nil && bytes.Contains(note, []byte("\x04\x00\x00\x00Go\x00\x00")) {
			return true, nil
		}
	}
	return false, nil
}

func procPath(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/" + file }
