//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testetcd"
)

// deadmanOf finds the process that kills the workers of a brood when it does not come to it; 0 if there is none.
func deadmanOf(b *brood, name string) int {
	b.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", b.cmd.Process.Pid))
	if err != nil {
		b.t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		argv, err := os.ReadFile(filepath.Join("/proc", word, "cmdline")) // it may have ended
		if pid, failed := strconv.Atoi(word); err == nil && failed == nil && string(argv) == "brood: deadman of "+name+"\x00" {
			return pid
		}
	}
	return 0
}

// endsOf watches some processes, and gives a function that returns when all have ended.
func endsOf(t *testing.T, pids []int) func() {
	t.Helper()
	var all []func()
	for _, pid := range pids {
		all = append(all, watchEnd(t, pid))
	}
	return func() {
		t.Helper()
		for _, ended := range all {
			ended()
		}
	}
}

// TestFrozenBrood: workers are dead before etcd can give their ids to others, whether their brood is stopped or killed. One
// that goes on has others; it replaces a deadman that is killed.
func TestFrozenBrood(t *testing.T) {
	t.Parallel()
	dir := site(t)
	etcd := testetcd.Start(t, testetcd.Config{})
	path := filepath.Join(dir, "a.toml")
	write(t, path, member("a", dir, etcd.Endpoints()).with("pool.web.orphans", word("keep")).String())
	a := launch(t, options{file: path})
	deadman := deadmanOf(a, "a")
	if deadman == 0 {
		t.Fatal("there is no deadman")
	}
	t.Cleanup(func() { _ = a.cmd.Process.Signal(syscall.SIGCONT) })
	const lease = 2 * time.Second // from the last renewal on, at most
	dead := func(what string, pids []int, stop func()) {
		t.Helper()
		ends, begin := endsOf(t, pids), time.Now()
		stop()
		ends()
		if took := time.Since(begin); took > lease {
			t.Errorf("%s: its workers were dead after %v", what, took)
		}
	}

	before := a.status().named("web").pids()
	dead("stopped", before, func() { a.halt(a.cmd.Process.Pid) })
	if err := a.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	a.awaitSaid("the deadman has killed workers before their claims ended: this process did not come to it", 1)
	a.await("other workers", func() bool {
		pids := a.status().named("web").pids()
		return a.status().named("web").whole() && !slices.ContainsFunc(pids, func(pid int) bool { return slices.Contains(before, pid) })
	})
	if now := deadmanOf(a, "a"); now != deadman {
		t.Errorf("the deadman is %d, was %d", now, deadman)
	}

	dead("deadman", []int{deadman}, func() { _ = syscall.Kill(deadman, syscall.SIGKILL) })
	a.await("another deadman", func() bool { now := deadmanOf(a, "a"); return now != 0 && now != deadman })
	deadman = deadmanOf(a, "a")

	workers, gone := a.status().named("web").pids(), watchEnd(t, deadman)
	dead("killed", workers, func() {
		if err := a.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		a.code()
		for _, pid := range workers {
			if err := syscall.Kill(pid, 0); err != nil {
				t.Errorf("worker %d was not kept: %v", pid, err)
			}
		}
	})
	gone()
	if text, err := os.ReadFile(filepath.Join(dir, "doubles")); err == nil {
		t.Errorf("these were found held: %s", strings.Fields(string(text)))
	}
}
