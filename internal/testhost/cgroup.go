package testhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var errNoCgroup2 = errors.New("no cgroup2 mount")

// Cgroup2 needs a writable cgroup2 hierarchy, wherever it is mounted: at
// /sys/fs/cgroup, or below it on a host that still has version 1 as well.
func Cgroup2() error {
	dir, err := ownCgroup()
	if err != nil {
		return err
	}
	probe, err := os.MkdirTemp(dir, "brood-probe-")
	if err != nil {
		return fmt.Errorf("a writable cgroup: %w", err)
	}
	return os.Remove(probe)
}

// ownCgroup is the directory of this process in the cgroup2 hierarchy.
func ownCgroup() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	root, err := cgroup2Mount(string(mounts))
	if err != nil {
		return "", err
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(groups)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return filepath.Join(root, path), nil
		}
	}
	return "", fmt.Errorf("%w: this process is in none", errNoCgroup2)
}

// cgroup2Mount finds the mount point in the text of proc_pid_mountinfo(5): the
// fifth field, where the type after the separator is cgroup2.
func cgroup2Mount(mountinfo string) (string, error) {
	for line := range strings.Lines(mountinfo) {
		before, after, found := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if found && len(fields) >= 5 && strings.HasPrefix(after, "cgroup2 ") {
			return unescape(fields[4]), nil
		}
	}
	return "", errNoCgroup2
}

// unescape undoes the octal escapes of mountinfo.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
