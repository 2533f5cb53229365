//go:build e2e

package e2e

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testhost"
)

// machine is a booted systemd with brood installed from contrib.
type machine struct {
	*testhost.Host
	t    *testing.T
	ns   *testhost.NetNS
	unit string // the service
}

const (
	installedGuest = "/usr/local/bin/guest"
	installedBrood = "/usr/local/bin/brood"
)

// install boots a machine and gives it the units of contrib, with our guest in
// the place of node. Lines for [Service] may be added.
func install(t *testing.T, guest string, service ...string) *machine {
	t.Helper()
	m := boot(t, "brood.service")
	for _, name := range []string{"brood.socket", "brood@.socket"} {
		m.Install("/etc/systemd/system/"+name, 0o644, []byte(read(t, "../contrib/systemd/"+name)))
	}
	unit := read(t, "../contrib/systemd/brood.service")
	unit = strings.Replace(unit, "/usr/bin/node /srv/app/server.js", installedGuest+" testguest "+guest, 1)
	unit = strings.Replace(unit, "WorkingDirectory=/srv/app", "WorkingDirectory=/", 1)
	unit = strings.Replace(unit, "User=brood\nGroup=brood\n", "", 1)
	unit = strings.Replace(unit, "[Install]", strings.Join(service, "\n")+"\n[Install]", 1)
	m.Unit("brood.service", unit)
	return m
}

// boot boots a machine that has our programs.
func boot(t *testing.T, unit string) *machine {
	t.Helper()
	host := testhost.Boot(t)
	m := &machine{Host: host, t: t, ns: host.NetNS(), unit: unit}
	m.copy(broodBin(), installedBrood)
	m.copy(guestBin(), installedGuest)
	return m
}

func (m *machine) copy(source, target string) {
	m.t.Helper()
	data, err := os.ReadFile(source)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Install(target, 0o755, data)
}

func (m *machine) ctl(words ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	stdout, stderr, code := m.Run(ctx, append([]string{"systemctl"}, words...)...)
	if code != 0 {
		m.t.Fatalf("systemctl %q ended with %d: %s%s\n%s", words, code, stdout, stderr, m.journal())
	}
	return strings.TrimSpace(stdout)
}

func (m *machine) show(property string) string { return m.ctl("show", "-P", property, m.unit) }

func (m *machine) journal() string {
	stdout, _, _ := m.Run(m.t.Context(), "journalctl", "-u", m.unit, "-o", "cat", "-n", "60", "--no-pager")
	return stdout
}

func (m *machine) pool() pool {
	m.t.Helper()
	return onlyPool(m.t, m.Must(m.t.Context(), installedBrood, "status", "--name", "web", "--output", "json"))
}

// await looks again and again: systemd inside tells nobody out here.
func (m *machine) await(what string, holds func() bool) {
	m.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline.C:
			m.t.Fatalf("after %s still not: %s\n%s", patience, what, m.journal())
		}
	}
}

// load sends a load from inside.
func (m *machine) load(change func(*loadgen.Config)) *loadgen.Load {
	m.t.Helper()
	return startLoad(m.t, "127.0.0.1:80", func(c *loadgen.Config) {
		c.Dial = m.ns.Dial
		if change != nil {
			change(c)
		}
	})
}

// TestSystemdStart: a socket by name, and a unit that is active when all slots are
// ready and not before; a connection made meanwhile is served.
func TestSystemdStart(t *testing.T) {
	t.Parallel()
	m := install(t, "slow-ready -after 2s")
	m.ctl("start", "brood.socket")
	m.ctl("start", "--no-block", "brood.service")
	early := m.load(func(c *loadgen.Config) { c.Clients, c.Requests = slots, slots })
	if state := m.show("ActiveState"); state != "activating" {
		t.Errorf("the service is %s before its workers are ready", state)
	}
	m.ctl("start", "brood.service") // waits for the start under way
	if p := m.pool(); !p.whole() || p.Desired != slots {
		t.Errorf("the service is active with %s", p)
	}
	if state, text := m.show("ActiveState"), m.show("StatusText"); state != "active" || !strings.Contains(text, "4/4") {
		t.Errorf("the service is %s and says %q", state, text)
	}
	if result := early.Wait(); result.OK() != slots {
		t.Errorf("who came before the service:\n%s", &result)
	}
	if listeners := m.pool().Listeners; len(listeners) != 1 || listeners[0].Name != "http" || listeners[0].Mode != "sharded" {
		t.Errorf("the listeners are %+v\n%s", listeners, m.journal())
	}
	if got := from(t, m.ns, "127.0.0.1:80", 200); len(got) != slots {
		t.Errorf("served by the slots %v", got)
	}
	m.stopped("brood.socket")
}

// stopped stops the service, and its sockets, and demands that it ends well and leaves nothing.
func (m *machine) stopped(sockets ...string) {
	m.t.Helper()
	processes := "/sys/fs/cgroup" + m.show("ControlGroup") + "/cgroup.procs"
	m.ctl(append([]string{"stop", m.unit}, sockets...)...)
	if state, result := m.show("ActiveState"), m.show("Result"); state != "inactive" || result != "success" {
		m.t.Errorf("after the stop it is %s, %s\n%s", state, result, m.journal())
	}
	if stdout, _, code := m.Run(m.t.Context(), "cat", processes); code == 0 && stdout != "" {
		m.t.Errorf("left behind: %s", stdout)
	}
}

// TestSystemdReload: ExecReload replaces the workers under load, and nothing fails.
func TestSystemdReload(t *testing.T) {
	t.Parallel()
	m := install(t, "http -notify")
	m.ctl("start", "brood.socket", "brood.service")
	load := m.load(nil)
	before := m.pool()
	m.ctl("reload", "brood.service")
	m.await("a whole new generation", func() bool {
		p := m.pool()
		if !p.whole() {
			return false
		}
		return !slices.ContainsFunc(p.Workers, func(w worker) bool { return w.Generation == before.Generation })
	})
	m.await("the end of the reload", func() bool { return m.show("ActiveState") == "active" && m.show("SubState") == "running" })
	if err := load.Await(t.Context(), 100); err != nil {
		t.Error(err)
	}
	if result := load.Stop(); result.Failed() != 0 {
		t.Errorf("under a reload:\n%s", &result)
	}
	m.stopped("brood.socket")
}

// TestSystemdSocketTemplate: a brood without privileges gets two sockets for each
// slot from systemd and makes one listener of them, also after an upgrade.
func TestSystemdSocketTemplate(t *testing.T) {
	t.Parallel()
	var sockets []string
	for n := range 2 * slots {
		sockets = append(sockets, "brood@"+strconv.Itoa(n+1)+".socket")
	}
	m := install(t, "http -notify", "User=nobody", "Group=nogroup")
	unit := read(t, m.Path("/etc/systemd/system/brood.service"))
	m.Unit("brood.service", strings.Replace(unit, "Sockets=brood.socket", "Sockets="+strings.Join(sockets, " "), 1))
	m.ctl(append([]string{"start"}, append(sockets, "brood.service")...)...)
	if p := m.pool(); !p.whole() || len(p.Listeners) != 1 || p.Listeners[0].Mode != "sharded" {
		t.Errorf("listeners %+v, %s", p.Listeners, p)
	}
	load := m.load(nil)
	for range 2 {
		m.Must(t.Context(), installedBrood, "roll", "--name", "web", "--wait")
	}
	m.Must(t.Context(), installedBrood, "upgrade", "--name", "web")
	m.Must(t.Context(), installedBrood, "roll", "--name", "web", "--wait")
	if result := load.Stop(); result.Failed() != 0 || len(result.Slots()) != slots {
		t.Errorf("under rollouts and an upgrade:\n%s", &result)
	}
	m.ctl(append([]string{"stop"}, append(sockets, "brood.service")...)...)
}

// TestSystemdOwnPort: an ordinary user with one capability opens port 80 itself.
func TestSystemdOwnPort(t *testing.T) {
	t.Parallel()
	m := install(t, "http -notify", "User=nobody", "Group=nogroup", "AmbientCapabilities=CAP_NET_BIND_SERVICE")
	unit := read(t, m.Path("/etc/systemd/system/brood.service"))
	unit = strings.Replace(unit, "Sockets=brood.socket\n", "", 1)
	m.Unit("brood.service", strings.Replace(unit, "-l http=systemd:http", "-l :80", 1))
	m.ctl("start", "brood.service")
	if p := m.pool(); !p.whole() || len(p.Listeners) != 1 || p.Listeners[0].Mode != "sharded" {
		t.Errorf("listeners %+v, %s", p.Listeners, p)
	}
	if got := from(t, m.ns, "127.0.0.1:80", 100); len(got) != slots {
		t.Errorf("served by the slots %v", got)
	}
	m.stopped("brood.socket")
}

// TestSystemdWatchdog: a brood that hangs is ended and started again by systemd.
func TestSystemdWatchdog(t *testing.T) {
	t.Parallel()
	m := install(t, "http -notify", "WatchdogSec=2", "TimeoutAbortSec=2")
	m.ctl("start", "brood.socket", "brood.service")
	pid := m.show("MainPID")
	m.Must(t.Context(), "kill", "-STOP", pid)
	m.await("a restart", func() bool { return m.show("NRestarts") == "1" && m.show("ActiveState") == "active" })
	if again := m.show("MainPID"); again == pid {
		t.Errorf("the main process is still %s", pid)
	}
	if p := m.pool(); !p.whole() {
		t.Errorf("after the restart %s", p)
	}
	if got := from(t, m.ns, "127.0.0.1:80", 100); len(got) != slots {
		t.Errorf("served by the slots %v", got)
	}
	m.stopped("brood.socket")
}
