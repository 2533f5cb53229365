package cgroup

import (
	"fmt"
	"strings"
)

// Names of our directories. Prefixes keep those of pools apart from everything that the kernel, systemd and we put
// beside them.
const (
	leafName    = "supervisor"
	poolPrefix  = "pool-"
	broodPrefix = "brood-"
)

// escape makes a name safe for a directory: what is not a letter, a digit, '_' or '-' becomes %XX.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isUnit reports whether a directory is named as systemd names the group of a unit, which is then systemd's to manage.
func isUnit(name string) bool {
	for _, suffix := range []string{".service", ".scope", ".slice", ".socket", ".mount", ".swap"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
