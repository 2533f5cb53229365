package cgroup

import (
	"path/filepath"
	"slices"
	"strings"
)

// mount is one of cgroup v2, out of proc_pid_mountinfo(5).
type mount struct {
	root     string // the group that it shows at its mount point
	point    string
	readOnly bool
}

// parseMounts finds the mounts of cgroup v2. Lines that are not as the manual page has them are none.
func parseMounts(mountinfo string) []mount {
	var all []mount
	for line := range strings.Lines(mountinfo) {
		before, after, found := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		fields, super := strings.Fields(before), strings.Fields(after)
		if !found || len(fields) < 6 || len(super) < 1 || super[0] != "cgroup2" {
			continue
		}
		m := mount{root: unescape(fields[3]), point: unescape(fields[4]), readOnly: hasOption(fields[5], "ro")}
		if len(super) >= 3 {
			m.readOnly = m.readOnly || hasOption(super[2], "ro")
		}
		all = append(all, m)
	}
	return all
}

func hasOption(options, want string) bool {
	return slices.Contains(strings.Split(options, ","), want)
}

// unescape undoes the octal escapes of mountinfo.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// dir is where the mount shows a group, if it does.
func (m mount) dir(group string) (string, bool) {
	rest, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	if !ok || rest != "" && rest[0] != '/' || strings.HasPrefix(rest, "/..") {
		return "", false
	}
	return filepath.Join(m.point, rest), true
}

// membership is what proc_pid_cgroup(5) says about a process.
type membership struct {
	path string   // in version 2; "" if it is in none
	v1   []string // controllers that version 1 has
}

func parseMembership(text string) membership {
	var m membership
	for line := range strings.Lines(text) {
		number, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, found := strings.Cut(rest, ":")
		switch {
		case !found:
		case number == "0" && controllers == "":
			m.path = path
		default:
			m.v1 = append(m.v1, strings.Split(controllers, ",")...)
		}
	}
	return m
}
