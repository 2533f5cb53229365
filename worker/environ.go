package worker

import (
	"strings"

	"github.com/broodctl/brood/worker/handshake"
)

// CleanEnviron returns environ without what belongs between the supervisor and
// its own parent: see handshake.Private. The argument is not changed.
func CleanEnviron(environ []string) []string {
	clean := make([]string, 0, len(environ))
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if !handshake.Private(name) {
			clean = append(clean, v)
		}
	}
	return clean
}
