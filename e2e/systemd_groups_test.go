//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// daemonic is a worker that has started a daemon, which has left its process group and is deaf to TERM.
const daemonic = `/bin/sh -c "setsid sh -c 'trap \"\" TERM; exec sleep 1000' & exec ` + installedGuest + ` testguest http -notify"`

// TestSystemdGroups: each worker has a group below that of the service, which ends with everything in it.
func TestSystemdGroups(t *testing.T) {
	t.Parallel()
	for name, user := range map[string][]string{
		"root":   nil,
		"nobody": {"User=nobody", "Group=nogroup"},
	} {
		t.Run(name, func(t *testing.T) {
			// systemd runs this in a group beside that of brood, which has ended, before it cleans up.
			m := install(t, "http -notify", append(user, `ExecStopPost=+/bin/sh -c "ls /sys/fs/cgroup/system.slice/brood.service >/run/left"`)...)
			unit := read(t, m.Path("/etc/systemd/system/brood.service"))
			unit = strings.Replace(unit, installedGuest+" testguest http -notify", daemonic, 1)
			m.Unit("brood.service", strings.Replace(unit, " run ", " run --grace 1s ", 1))
			m.ctl("start", "brood.socket", "brood.service")
			m.hasGroups(slots)

			m.Must(t.Context(), "kill", "-KILL", fmt.Sprint(m.pool().Workers[0].PID))
			m.await("another worker", func() bool { p := m.pool(); return p.whole() && p.Restarts == 1 })
			m.hasGroups(slots)
			if !strings.Contains(m.journal(), "worker killed") {
				t.Errorf("the daemon was not deaf:\n%s", m.journal())
			}
			m.Must(t.Context(), installedBrood, "roll", "--name", "web", "--wait")
			m.await("the end of who is on the way out", func() bool { return m.pool().whole() })
			m.hasGroups(slots)

			m.stopped("brood.socket")
			if left := read(t, m.Path("/run/left")); strings.Contains(left, "pool-") || left == "" {
				t.Errorf("left behind:\n%s", left)
			}
			if stdout, _, code := m.Run(t.Context(), "pgrep", "-f", "sleep 1000"); code == 0 {
				t.Errorf("daemons that live on: %s", stdout)
			}
		})
	}
}

// hasGroups demands so many workers, each in a group of its own, and as many daemons.
func (m *machine) hasGroups(n int) {
	m.t.Helper()
	service := m.show("ControlGroup")
	var want []string
	for _, w := range m.pool().Workers {
		line := m.Must(m.t.Context(), "grep", "^0::", fmt.Sprintf("/proc/%d/cgroup", w.PID))
		group := strings.TrimPrefix(strings.TrimSpace(line), "0::")
		if path.Dir(group) != service+"/pool-web" || !strings.HasPrefix(path.Base(group), fmt.Sprintf("%d-", w.Slot)) {
			m.t.Errorf("slot %d is in %s", w.Slot, group)
		}
		want = append(want, path.Base(group))
	}
	slices.Sort(want)
	// The shell writes what it finds in the order of the names.
	dirs := strings.Fields(m.Must(m.t.Context(), "sh", "-c", "cd /sys/fs/cgroup"+service+"/pool-web && echo *-*-*"))
	slices.Sort(dirs)
	if len(dirs) != n || !slices.Equal(dirs, want) {
		m.t.Errorf("there are the groups %q, of the workers %q", dirs, want)
	}
	if daemons := strings.Fields(m.Must(m.t.Context(), "pgrep", "-f", "^sleep 1000")); len(daemons) != n {
		m.t.Errorf("there are %d daemons", len(daemons))
	}
}

// TestSystemdLimitsThatDoNotHold: what limits lack is said once, by name, and everything else works.
func TestSystemdLimitsThatDoNotHold(t *testing.T) {
	t.Parallel()
	own := read(t, "/proc/self/cgroup")
	for name, tc := range map[string]struct {
		change  func(unit string) string
		missing string // "" is nothing
	}{
		"controllers": {func(unit string) string { return unit }, "the memory controller: it is bound to cgroup v1"},
		"delegation": {func(unit string) string {
			return strings.Replace(unit, "Delegate=yes\n", "User=nobody\nGroup=nogroup\n", 1)
		}, "delegation of the group /system.slice/brood.service"},
	} {
		t.Run(name, func(t *testing.T) {
			m := install(t, "http -notify")
			m.Install("/etc/brood/web.toml", 0o644, []byte(`
[listen.http]
address = "systemd:http"
[pool.web]
command = ["`+installedGuest+`", "testguest", "http", "-notify"]
workers = 4
listen = ["http"]
[pool.web.limits]
memory_max = "64M"
`))
			unit := strings.Split(read(t, m.Path("/etc/systemd/system/brood.service")), "\n")
			at := slices.IndexFunc(unit, func(line string) bool { return strings.HasPrefix(line, "ExecStart=") })
			unit[at] = "ExecStart=" + installedBrood + " run -c /etc/brood/web.toml"
			m.Unit("brood.service", tc.change(strings.Join(unit, "\n")))
			m.ctl("start", "brood.socket", "brood.service")
			if p := m.pool(); !p.whole() {
				t.Errorf("the service is active with %s", p)
			}
			want := []string{tc.missing}
			if name == "controllers" && !strings.Contains(own, ":memory:") {
				want = nil // this machine has all of them on version 2
			}
			m.lacks(want)
			m.stopped("brood.socket")
		})
	}
}

// lacks demands one line for all that is missing.
func (m *machine) lacks(want []string) {
	m.t.Helper()
	var said []string
	for line := range strings.Lines(m.journal()) {
		var l struct {
			Message string   `json:"message"`
			Limits  []string `json:"limits"`
			Missing []string `json:"missing"`
		}
		if json.Unmarshal([]byte(line), &l) != nil || !strings.HasPrefix(l.Message, "limits do not hold") {
			continue
		}
		if !slices.Equal(l.Limits, []string{"memory_max"}) || len(l.Missing) != 1 {
			m.t.Errorf("said: %s", line)
		}
		said = append(said, l.Missing...)
	}
	if len(said) != len(want) || len(want) == 1 && !strings.Contains(said[0], want[0]) {
		m.t.Errorf("said: %q, want %q\n%s", said, want, m.journal())
	}
}
