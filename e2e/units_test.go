//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testhost"
)

// shop is a service made from a configuration by brood units, on a booted machine.
type shop struct {
	*machine
	config string
}

const shopFile = "/etc/brood/shop.toml"

// furnish installs what brood units prints for a configuration, and starts it.
func furnish(t *testing.T, config string, flags ...string) *shop {
	t.Helper()
	host := testhost.Boot(t)
	// Folders of ordinary users, that root without its capabilities could not write in, or not even look into.
	host.Must(t.Context(), "install", "-d", "-o", "nobody", "-m", "0755", "/srv/admin")
	host.Must(t.Context(), "install", "-d", "-o", "daemon", "-m", "0700", "/srv/queue")
	host.Must(t.Context(), "ln", "-s", installedGuest, "/srv/queue/guest")
	s := &shop{machine: &machine{Host: host, t: t, ns: host.NetNS()}}
	s.copy(broodBin(), installedBrood)
	s.copy(guestBin(), installedGuest)
	s.write(config)
	s.Must(t.Context(), append([]string{installedBrood, "units", "-c", shopFile, "--install", "--yes"}, flags...)...)
	s.ctl("daemon-reload")
	s.ctl("enable", "--now", "shop.service")
	return s
}

func (s *shop) write(config string) {
	s.config = strings.ReplaceAll(config, "GUEST", installedGuest)
	s.Install(shopFile, 0o644, []byte(s.config))
}

// change replaces a part of the configuration.
func (s *shop) change(from, to string) {
	s.t.Helper()
	if !strings.Contains(s.config, from) {
		s.t.Fatalf("no %q in\n%s", from, s.config)
	}
	s.write(strings.Replace(s.config, from, to, 1))
}

// property is one of the service's, as systemctl shows it.
func (s *shop) property(name string) string { return s.ctl("show", "-P", name, "shop.service") }

func (s *shop) log() string {
	stdout, _, _ := s.Run(s.t.Context(), "journalctl", "-u", "shop.service", "-o", "cat", "-n", "80", "--no-pager")
	return stdout
}

func (s *shop) pools() map[string]pool {
	s.t.Helper()
	var all status
	text := s.Must(s.t.Context(), installedBrood, "status", "--name", "shop", "--output", "json")
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		s.t.Fatalf("cannot read status: %v\n%s", err, text)
	}
	named := map[string]pool{}
	for _, p := range all.Pools {
		named[p.Name] = p
	}
	return named
}

// users demands that the workers of a pool are ready and run as somebody.
func (s *shop) users(pool, want string) {
	s.t.Helper()
	p := s.pools()[pool]
	if !p.whole() {
		s.t.Errorf("pool %s: %s\n%s", pool, p, s.log())
	}
	for _, w := range p.Workers {
		if user := s.Must(s.t.Context(), "ps", "-o", "user=", "-p", strconv.Itoa(w.PID)); user != want {
			s.t.Errorf("worker %d of %s runs as %s, want %s", w.Slot, pool, user, want)
		}
	}
}

// reload asks systemd for one, and gives what it says.
func (s *shop) reload() (words string, ok bool) {
	s.t.Helper()
	_, stderr, code := s.Run(s.t.Context(), "systemctl", "reload", "shop.service")
	return stderr, code == 0
}

// done stops the service and demands that it ends well and leaves nothing.
func (s *shop) done(sockets ...string) {
	s.t.Helper()
	processes := "/sys/fs/cgroup" + s.property("ControlGroup") + "/cgroup.procs"
	s.ctl(append([]string{"stop", "shop.service"}, sockets...)...)
	if state, result := s.property("ActiveState"), s.property("Result"); state != "inactive" || result != "success" {
		s.t.Errorf("after the stop it is %s, %s\n%s", state, result, s.log())
	}
	if stdout, _, code := s.Run(s.t.Context(), "cat", processes); code == 0 && stdout != "" {
		s.t.Errorf("left behind: %s", stdout)
	}
}

// TestUnitsOfTwoUsers: brood is root with few capabilities, its workers are two others. systemctl reload says what came
// of it: of a worker more, of a file with a mistake, of a program that never gets ready.
func TestUnitsOfTwoUsers(t *testing.T) {
	t.Parallel()
	s := furnish(t, `
[listen.http]
address = ":80"

[listen.admin]
address = "unix:/srv/admin/web.sock"
owner = "nobody:nogroup"

[pool.web]
command = ["GUEST", "testguest", "http", "-notify"]
workers = 2
listen = ["http", "admin"]
user = "nobody"
group = "nogroup"
after = ["queue"]
[pool.web.rollout]
ready_timeout = "10s"
settle = "300ms"

[pool.queue]
command = ["/srv/queue/guest", "testguest", "http"]
dir = "/srv/queue"
listen = ["own"]
workers = 1
user = "daemon"
[pool.queue.rollout]
settle = "300ms"

[listen.own]
address = "127.0.0.1:8080"
`)
	if user, caps := s.property("User"), s.property("CapabilityBoundingSet"); user != "" || strings.Count(caps, "cap_") != 8 {
		t.Errorf("the service runs as %q with %q", user, caps)
	}
	s.users("web", "nobody")
	s.users("queue", "daemon") // ready without a word: seen in /proc
	if got := from(t, s.ns, "127.0.0.1:80", 50); len(got) != 2 {
		t.Errorf("served by the slots %v\n%s", got, s.log())
	}

	if owner := s.Must(t.Context(), "stat", "-c", "%U:%G %a", "/srv/admin/web.sock"); owner != "nobody:nogroup 660" {
		t.Errorf("the socket of others is %s", owner)
	}

	load := startLoad(t, "127.0.0.1:80", s.inside)
	s.change("workers = 2", "workers = 3")
	if words, ok := s.reload(); !ok {
		t.Fatalf("systemctl reload: %s\n%s", words, s.log())
	}
	if p := s.pools()["web"]; p.Desired != 3 || !p.whole() {
		t.Errorf("after a reload %s", p)
	}
	s.change("-notify", "-notify -never-heard-of")
	if _, ok := s.reload(); ok {
		t.Errorf("systemctl reload is content with workers that do not start\n%s", s.log())
	}
	s.change("workers = 3", "wrkers = 3")
	if _, ok := s.reload(); ok {
		t.Errorf("systemctl reload is content with a file that has a mistake\n%s", s.log())
	}
	if state := s.property("ActiveState"); state != "active" {
		t.Errorf("after reloads that failed the service is %s", state)
	}
	s.users("web", "nobody")
	if result := load.Stop(); result.Failed() != 0 || result.OK() == 0 {
		t.Errorf("under reloads:\n%s", &result)
	}
	s.done()
}

const oneUser = `
[listen.http]
address = ":80"

[pool.web]
command = ["GUEST", "testguest", "http", "-notify"]
workers = 2
listen = ["http"]
user = "nobody"
group = "nogroup"
[pool.web.rollout]
settle = "300ms"
`

// TestUnitsOfOneUser: all of it is one user, who may open port 80 and nothing else.
func TestUnitsOfOneUser(t *testing.T) {
	t.Parallel()
	s := furnish(t, oneUser)
	if user, caps := s.property("User"), s.property("CapabilityBoundingSet"); user != "nobody" || caps != "cap_net_bind_service" {
		t.Errorf("the service runs as %q with %q", user, caps)
	}
	s.served()
	s.done()
}

// TestUnitsWithSockets: all of it is one user without any capability, and the sockets come from systemd.
func TestUnitsWithSockets(t *testing.T) {
	t.Parallel()
	s := furnish(t, oneUser, "--sockets")
	if user, caps := s.property("User"), s.property("CapabilityBoundingSet"); user != "nobody" || caps != "" {
		t.Errorf("the service runs as %q with %q", user, caps)
	}
	sockets := []string{"shop-http@1.socket", "shop-http@2.socket", "shop-http@3.socket", "shop-http@4.socket"}
	for _, name := range sockets {
		if state := s.ctl("show", "-P", "ActiveState", name); state != "active" {
			t.Errorf("%s is %s", name, state)
		}
	}
	s.served()
	s.done(sockets...)
}

// served demands a sharded listener that a reload with other arguments does not disturb.
func (s *shop) served() {
	s.t.Helper()
	s.users("web", "nobody")
	if l := s.pools()["web"].Listeners; len(l) != 1 || l[0].Name != "http" || l[0].Mode != "sharded" {
		s.t.Errorf("the listeners are %+v\n%s", l, s.log())
	}
	load := startLoad(s.t, "127.0.0.1:80", s.inside)
	before := s.pools()["web"].Generation
	s.change(`"-notify"`, `"-notify", "-work", "1ms"`)
	if words, ok := s.reload(); !ok {
		s.t.Fatalf("systemctl reload: %s\n%s", words, s.log())
	}
	p := s.pools()["web"]
	if !p.whole() || slices.ContainsFunc(p.Workers, func(w worker) bool { return w.Generation == before }) {
		s.t.Errorf("after a reload %s", p)
	}
	if result := load.Stop(); result.Failed() != 0 || len(result.Slots()) != 2 {
		s.t.Errorf("under a reload:\n%s", &result)
	}
}

func (s *shop) inside(c *loadgen.Config) { c.Dial = s.ns.Dial }
