package worker

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"
)

// Use is what a worker's tree uses: see Tree for who belongs to it.
type Use struct {
	// Memory in bytes: the proportional set sizes, which share a page that several
	// processes have among them, so that copies on write are not counted twice.
	Memory uint64
	// Resident: the kernel did not tell the proportional set size of some process,
	// because it is older than 4.14 or does not let us look at that user's. Of
	// these the resident set size is in Memory, which counts what they share once
	// for each.
	Resident bool
	// CPU time that its processes have used, and their children that they waited
	// for. It falls when a descendant ends that somebody outside of the tree waits
	// for, as the supervisor does for orphans.
	CPU time.Duration
	// Processes that have not been waited for; a zombie is one.
	Processes int
	// Files that they have open, each descriptor counted; 0 of those that we may
	// not look at on kernels before 6.2.
	Files int
}

// Usage measures a worker with all its descendants. The kernel walks the whole
// memory of each process for it, in about four milliseconds per gigabyte, and keeps
// the process from changing its mappings meanwhile: ask seldom, and not on a
// thread that others wait for. Processes that end while it looks are left out.
// An error that wraps os.ErrProcessDone says that none is left.
func Usage(pid int) (Use, error) {
	tree, err := Tree(pid)
	if err != nil {
		return Use{}, err
	}
	var all Use
	for _, member := range tree {
		err := all.add(member)
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return Use{}, fmt.Errorf("cannot measure process %d: %w", member, err)
		}
	}
	if all.Processes == 0 {
		return Use{}, fmt.Errorf("cannot measure process %d: %w", pid, os.ErrProcessDone)
	}
	return all, nil
}

// add adds all of one process, or nothing.
func (u *Use) add(pid int) error {
	s, err := statOf(pid)
	if err != nil {
		return err
	}
	memory, resident, err := memoryOf(pid)
	if err != nil {
		return err
	}
	u.Memory += memory
	u.Resident = u.Resident || resident
	u.CPU += s.cpu
	u.Processes++
	u.Files += filesOf(pid)
	return nil
}

// memoryOf is in bytes. A zombie has none: the one file cannot be read then, and
// the other says 0.
func memoryOf(pid int) (size uint64, resident bool, err error) {
	if text, err := os.ReadFile(procPath(pid, "smaps_rollup")); err == nil {
		size, err = parseRollup(text)
		return size, false, err
	}
	text, err := os.ReadFile(procPath(pid, "statm"))
	if isGoneError(err) {
		return 0, false, os.ErrProcessDone
	}
	if err != nil {
		return 0, false, err
	}
	pages, err := parseStatm(text)
	return pages * uint64(os.Getpagesize()), pages > 0, err
}

var errSizes = errors.New("its memory is not told as proc(5) says")

// parseRollup finds the one line "Pss:   326 kB" of /proc/PID/smaps_rollup, and
// gives bytes.
func parseRollup(text []byte) (uint64, error) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[0]) != "Pss:" || string(fields[2]) != "kB" {
			continue
		}
		kib, err := strconv.ParseUint(string(fields[1]), 10, 64)
		if err != nil || kib > math.MaxInt64>>10 {
			return 0, errSizes
		}
		return kib << 10, nil
	}
	return 0, errSizes
}

// parseStatm gives the second number of /proc/PID/statm: resident pages.
func parseStatm(text []byte) (uint64, error) {
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, errSizes
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil || pages > math.MaxInt64>>20 {
		return 0, errSizes
	}
	return pages, nil
}
