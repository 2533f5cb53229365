package compat

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

var errNoVersion = errors.New("no number in what it says")

// versionWord is the first thing that looks like a version.
var versionWord = regexp.MustCompile(`\d+(\.\d+)+`) //nolint:gochecknoglobals // a constant that Go has no word for

// version asks the program.
func version(probe []string) (string, error) {
	cmd := exec.Command(probe[0], probe[1:]...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+debian)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot ask %s for its version: %w\n%s", probe[0], err, out)
	}
	word := versionWord.FindString(string(out))
	if word == "" {
		return "", fmt.Errorf("cannot ask %s for its version: %w: %s", probe[0], errNoVersion, out)
	}
	return word, nil
}

// Missing names the packages of Debian that these servers need and this machine lacks. The first of a server may as well
// have come another way, as its program shows.
func Missing(servers []Server, strangers []Stranger) []string {
	missing := make(map[string]bool)
	note := func(packages string, probe []string) {
		for i, name := range strings.Split(packages, ", ") {
			if i == 0 {
				_, err := version(probe)
				missing[name] = missing[name] || err != nil
				continue
			}
			status, err := exec.Command("dpkg-query", "-W", "-f", "${db:Status-Status}", name).Output()
			missing[name] = err != nil || string(status) != "installed"
		}
	}
	for _, s := range servers {
		note(s.Package, s.Probe)
	}
	for _, s := range strangers {
		note(s.Package, s.Probe)
	}
	maps.DeleteFunc(missing, func(_ string, lacks bool) bool { return !lacks })
	return slices.Sorted(maps.Keys(missing))
}
