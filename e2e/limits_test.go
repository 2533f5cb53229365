//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLimitsHoldOrAreNamed: on whatever machine this is, a limit either is what the kernel has for the group of each
// worker, or brood says once that it does not hold, and what is missing.
func TestLimitsHoldOrAreNamed(t *testing.T) {
	port := freePort(t)
	file := filepath.Join(site(t), "brood.toml")
	write(t, file, guestPool("web", port, "http").with("pool.web.limits.memory_max", `"256M"`, "pool.web.limits.pids_max", "100").String())
	b := launch(t, options{file: file})
	warnings := 0
	for line := range strings.Lines(read(t, b.log)) {
		if strings.Contains(line, "limits do not hold") && strings.Contains(line, `"memory_max"`) && strings.Contains(line, `"missing: `) {
			warnings++
			t.Log(strings.TrimSpace(line))
		}
	}
	for _, pid := range b.status().named("web").pids() {
		has := strings.TrimSpace(groupFile(t, pid, "memory.max"))
		if warnings == 0 && has != "268435456" || warnings > 0 && has == "268435456" || warnings > 1 {
			t.Errorf("worker %d has the limit %q, and %d times brood said that it has not", pid, has, warnings)
		}
	}
	b.stop()
}

// groupFile reads a file of the control group of version 2 that a process is in, wherever it is mounted; "" if there is
// none.
func groupFile(t *testing.T, pid int, name string) string {
	t.Helper()
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/cgroup", pid))) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
			if text, err := os.ReadFile(filepath.Join(mount, group, name)); err == nil {
				return string(text)
			}
		}
	}
	return ""
}
