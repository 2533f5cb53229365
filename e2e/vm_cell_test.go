//go:build e2e && vm

package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The tests named TestVM run in a virtual machine, as root, with every controller on control groups of version 2: see
// inside_test.go.

// cell is a control group for a brood, as a manager of services would make it.
type cell struct {
	t   *testing.T
	dir string
}

// newCell makes a group, and demands at the end of the test that brood has left nothing in it.
func newCell(t *testing.T) cell {
	t.Helper()
	c := cell{t: t, dir: "/sys/fs/cgroup/" + strings.ToLower(filepath.Base(t.Name()))}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(c.dir); err != nil {
			left, _ := filepath.Glob(c.dir + "/*/*/cgroup.procs")
			t.Errorf("brood left groups behind: %v\n%q", err, left)
		}
	})
	return c
}

// attr puts a program into the group.
func (c cell) attr() *syscall.SysProcAttr {
	c.t.Helper()
	dir, err := os.Open(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { dir.Close() })
	return &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
}

// launch starts a brood in the group with a file.
func (c cell) launch(k keys) *brood {
	c.t.Helper()
	return launch(c.t, options{file: c.file(k), attr: c.attr()})
}

func (c cell) file(k keys) string {
	c.t.Helper()
	dir := scratch(c.t, os.Geteuid())
	if err := os.Chmod(dir, 0o755); err != nil { // for another user
		c.t.Fatal(err)
	}
	path := filepath.Join(dir, "brood.toml")
	write(c.t, path, k.String())
	return path
}

// group is the directory of the worker that a slot has.
func (c cell) group(pool string, slot int) string {
	c.t.Helper()
	found, err := filepath.Glob(filepath.Join(c.dir, "pool-"+pool, strconv.Itoa(slot)+"-*"))
	if err != nil || len(found) != 1 {
		c.t.Fatalf("groups of slot %d of pool %s: %q, %v", slot, pool, found, err)
	}
	return found[0]
}

// members are the processes of a group.
func members(t *testing.T, group string) []int {
	t.Helper()
	var pids []int
	for line := range strings.Lines(read(t, filepath.Join(group, "cgroup.procs"))) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// value is a number out of a file such as cpu.stat.
func value(t *testing.T, group, file, key string) int {
	t.Helper()
	for line := range strings.Lines(read(t, filepath.Join(group, file))) {
		if name, number, _ := strings.Cut(strings.TrimSpace(line), " "); name == key {
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// entry is a line of the log.
type entry struct {
	Level   string `json:"level"`
	Message string `json:"message"`
	Pool    string `json:"pool"`
	Slot    int    `json:"slot"`
	PID     int    `json:"pid"`
	Cause   string `json:"cause"`
	line    string
}

// logged are the lines of the log for which a condition holds.
func (b *brood) logged(is func(entry) bool) []entry {
	b.t.Helper()
	var all []entry
	for line := range strings.Lines(read(b.t, b.log)) {
		var e entry
		if json.Unmarshal([]byte(line), &e) != nil {
			continue // half written, or a worker's
		}
		if e.line = strings.TrimSpace(line); is(e) {
			all = append(all, e)
		}
	}
	return all
}

// deaths are the notes about those who died of a cause.
func (b *brood) deaths(cause string) []entry {
	b.t.Helper()
	return b.logged(func(e entry) bool { return e.Message == "worker died" && e.Cause == cause })
}

// awaitWhole waits until all pools have their workers.
func (b *brood) awaitWhole() {
	b.t.Helper()
	b.await("all workers", func() bool {
		return !slices.ContainsFunc(b.status().Pools, func(p pool) bool { return !p.whole() })
	})
}
