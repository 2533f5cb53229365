//go:build e2e && vm

package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVMExampleBangui: the limits and reservations of the example are what the kernel
// has. One of our guests is in the place of its program.
func TestVMExampleBangui(t *testing.T) {
	c := newCell(t)
	path := c.file(nil)
	text := regexp.MustCompile(`(?m)^(command|user|dir) = .*$`).ReplaceAllString(read(t, insideDir+"/bangui.toml"), "")
	write(t, path, strings.Replace(text, "[pool.backend]", "[pool.backend]\ncommand = "+list(guestBin(), "testguest", "http"), 1))
	b := launch(t, options{file: path, attr: c.attr()})
	for file, want := range map[string]string{"memory.max": "536870912", "memory.low": "268435456", "cpu.max": "200000 100000", "cpu.weight": "100"} {
		if got := strings.TrimSpace(read(t, filepath.Join(c.group("backend", 0), file))); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	b.stop()
}
