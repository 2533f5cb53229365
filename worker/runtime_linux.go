package worker

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// runtimes says what a program brings along that has its own way with signals.
type runtimes struct {
	catchesAll bool // Go, Ruby, the JVM
	node       bool
}

func (s *Surveyor) runtimes(pid int) (runtimes, error) {
	exe := procPath(pid, "exe")
	var st unix.Stat_t
	if err := unix.Stat(exe, &st); err != nil {
		return runtimes{}, err
	}
	//nolint:unconvert // mips has a smaller type
	id := executableID{dev: uint64(st.Dev), ino: st.Ino, changed: st.Ctim}
	s.mu.Lock()
	answer, ok := s.known[id]
	s.mu.Unlock()
	if ok {
		return answer, nil
	}
	answer, err := findRuntimes(pid, exe)
	if err != nil {
		return runtimes{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[executableID]runtimes{}
	}
	s.known[id] = answer
	return answer, nil
}

// findRuntimes looks at the name of the executable, its libraries, and itself: any
// of them may be what gives it away.
func findRuntimes(pid int, exe string) (runtimes, error) {
	var found runtimes
	if target, err := os.Readlink(exe); err == nil {
		found = runtimesOf(target)
	}
	maps, err := os.ReadFile(procPath(pid, "maps"))
	if err != nil {
		return found, err
	}
	found.catchesAll = found.catchesAll || bytes.Contains(maps, []byte("/libruby")) || bytes.Contains(maps, []byte("/libjvm.so"))
	found.node = found.node || bytes.Contains(maps, []byte("/libnode"))
	if found.catchesAll || found.node {
		return found, nil
	}
	f, err := elf.Open(exe)
	if err != nil {
		return found, err
	}
	defer f.Close()
	return runtimes{catchesAll: isGo(f), node: isNode(f)}, nil
}

// runtimesOf judges by the path that /proc/PID/exe tells; it says so when the file
// has been replaced by an upgrade since.
func runtimesOf(target string) runtimes {
	name := filepath.Base(strings.TrimSuffix(target, " (deleted)"))
	return runtimes{
		catchesAll: strings.HasPrefix(name, "ruby") || strings.HasPrefix(name, "jruby") || name == "java",
		node:       regexp.MustCompile(`^node(js)?[-.0-9]*$`).MatchString(name),
	}
}

// isGo looks for what the Go linker leaves in each program: sections that
// strip(1) keeps, or the note of the build id, which survives even the removal
// of the section table.
func isGo(f *elf.File) bool {
	if f.Section(".go.buildinfo") != nil || f.Section(".note.go.buildid") != nil {
		return true
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		// Notes are small; the limit only guards against nonsense.
		note, err := io.ReadAll(io.LimitReader(p.Open(), 64<<10))
		if err == nil && bytes.Contains(note, []byte("\x04\x00\x00\x00Go\x00\x00")) {
			return true
		}
	}
	return false
}

// isNode looks for the symbol that every program with Node inside gives to native
// modules, also one of another name: a single executable application, Electron.
func isNode(f *elf.File) bool {
	names := f.Section(".dynstr")
	if names == nil {
		return false
	}
	text, err := names.Data()
	return err == nil && bytes.Contains(text, []byte("\x00node_module_register\x00"))
}
