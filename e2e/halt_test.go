//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// halt stops processes, and waits until they are: the kernel has each of their threads stop by itself.
func (b *brood) halt(pids ...int) {
	b.t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			b.t.Fatalf("cannot stop %d: %v", pid, err)
		}
	}
	for _, pid := range pids {
		b.await("all threads to be stopped", func() bool { return halted(pid) })
	}
}

func halted(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(status), "State:\tT") {
			return false
		}
	}
	return err == nil && len(threads) > 0
}
