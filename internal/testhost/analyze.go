package testhost

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Analyze has systemd-analyze verify units in a directory, and returns what it has to say about them. It reads the units
// of this machine too, of which some may have mistakes of their own: those are left out.
func Analyze(t *testing.T, dir string, units ...string) (complaints string) {
	t.Helper()
	argv := []string{"verify", "--man=no"}
	for _, unit := range units {
		argv = append(argv, "./"+unit)
	}
	analyze := exec.CommandContext(t.Context(), "systemd-analyze", argv...)
	analyze.Dir = dir
	out, err := analyze.CombinedOutput()
	var said strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "/lib/systemd/") && !strings.HasPrefix(line, "/usr/lib/systemd/") && !strings.HasPrefix(line, "/etc/systemd/") {
			said.WriteString(line)
		}
	}
	if err != nil {
		fmt.Fprintf(&said, "systemd-analyze: %v\n", err)
	}
	return said.String()
}
