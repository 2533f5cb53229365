//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

const (
	bankFile   = "/etc/brood/bank.toml"
	bankSecret = "open sesame"
)

// bank is a web server with a secret that systemd hands over and a database that has
// to be there, and an API that needs neither.
func bank() keys {
	guest := list(installedGuest, testguest.Word, "http", "-notify")
	return keys{
		"listen.web.address":        `"127.0.0.1:80"`,
		"listen.api.address":        `"127.0.0.1:8080"`,
		"pool.web.command":          guest,
		"pool.web.listen":           list("web"),
		"pool.web.workers":          "2",
		"pool.web.user":             `"nobody"`,
		"pool.web.credentials":      `{TOKEN = "token", TOKEN_FILE = "path:token"}`,
		"pool.web.requires":         list("tcp://127.0.0.1:6379"),
		"pool.web.requires_timeout": `"50s"`,
		"pool.web.rollout.settle":   `"200ms"`,
		"pool.api.command":          guest,
		"pool.api.listen":           list("api"),
		"pool.api.workers":          "2",
		"pool.api.user":             `"daemon"`,
		"pool.api.rollout.settle":   `"200ms"`,
	}
}

// configure writes the configuration of the bank.
func (m *machine) configure(k keys) { m.Install(bankFile, 0o644, []byte(k.String())) }

func (m *machine) status() status {
	m.t.Helper()
	return parseStatus(m.t, m.Must(m.t.Context(), installedBrood, "status", "--name", "bank", "--output", "json"))
}

// facts asks a worker behind an address.
func (m *machine) facts(address string) testguest.World {
	m.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: m.ns.Dial, DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + address + "/facts")
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	var w testguest.World
	if err := json.NewDecoder(response.Body).Decode(&w); err != nil {
		m.t.Fatal(err)
	}
	return w
}

// TestSystemdBank: a service that brood wrote the unit of waits for its database and
// gets its secret; reloads under load say in the status what came of them.
func TestSystemdBank(t *testing.T) {
	t.Parallel()
	m := boot(t, "bank.service")
	m.configure(bank())
	m.Install("/etc/credstore/token", 0o600, []byte(bankSecret+"\n"))
	m.Must(t.Context(), installedBrood, "units", "-c", bankFile, "--install", "--yes")
	m.Unit("database.service", "[Service]\nEnvironment=PORT=6379\nExecStart="+installedGuest+" testguest port-only\n")

	m.ctl("start", "--no-block", m.unit)
	m.await("the first pool", func() bool { return strings.Contains(m.show("StatusText"), "api 2/2") })
	if state, text := m.show("ActiveState"), m.show("StatusText"); state != "activating" || !strings.Contains(text, "web 0/2") {
		t.Errorf("without the database the service is %s, %q", state, text)
	}
	m.ctl("start", "database.service")
	m.ctl("start", m.unit) // waits for the start under way
	if env := m.facts("127.0.0.1:80").Env; env["TOKEN"] != bankSecret || !strings.HasSuffix(env["TOKEN_FILE"], "/token") {
		t.Errorf("the worker got the secret %q and the file %q", env["TOKEN"], env["TOKEN_FILE"])
	}

	web, api := m.load(nil), m.load(func(c *loadgen.Config) { c.Address = "127.0.0.1:8080" })
	m.reloads(bank().with("pool.web.env.RELEASE", `"2"`))
	m.keepsServing(bank().with("pool.web.wrokers", "3"), "unknown key wrokers")
	m.keepsServing(bank().with("pool.api.command", list("sh", "-c", "echo no-migration >&2; exit 3")), "exit 3")
	for _, load := range []*loadgen.Load{web, api} {
		if result := load.Stop(); result.Failed() != 0 || result.OK() == 0 {
			t.Errorf("under reloads:\n%s", &result)
		}
	}
	all, _, _ := m.Run(t.Context(), "sh", "-c", "journalctl --no-pager; systemctl show bank; "+installedBrood+" status --name bank --output json; "+installedBrood+" run -c "+bankFile+" --print-config")
	if strings.Contains(all, bankSecret) || !strings.Contains(all, "supervisor started") {
		t.Error("the secret is shown, or the log is not there")
	}
	m.stopped()
}

// reloads demands that a good configuration is taken: one pool is new when systemctl
// returns, and the other is as it was.
func (m *machine) reloads(k keys) {
	m.t.Helper()
	before := m.status()
	m.configure(k)
	m.ctl("reload", m.unit)
	after := m.status()
	if web := after.named("web"); web.Generation != before.named("web").Generation+1 || web.Ready != 2 {
		m.t.Errorf("after the reload: %s", web)
	}
	if !slices.Equal(before.named("api").pids(), after.named("api").pids()) {
		m.t.Errorf("a reload of web touched api: before %s, after %s", before.named("api"), after.named("api"))
	}
	if text := m.show("StatusText"); text != "web 2/2 ready; api 2/2 ready" && text != "api 2/2 ready; web 2/2 ready" {
		m.t.Errorf("after the reload it says %q", text)
	}
}

// keepsServing demands that a reload fails, that systemd says so, and that nothing
// has changed.
func (m *machine) keepsServing(k keys, reason string) {
	m.t.Helper()
	before := m.status()
	m.configure(k)
	if _, _, code := m.Run(m.t.Context(), "systemctl", "reload", m.unit); code == 0 {
		m.t.Errorf("systemctl reload says nothing of: %s", reason)
	}
	m.await("the way back", func() bool { return m.status().Config.Reload.State == "failed" })
	if state, text := m.show("ActiveState"), m.show("StatusText"); state != "active" || !strings.Contains(text, "reload failed: ") || !strings.Contains(text, reason) {
		m.t.Errorf("after a reload that failed the service is %s and says %q", state, text)
	}
	if journal := m.journal(); !strings.Contains(journal, reason) {
		m.t.Errorf("the journal does not say %q:\n%s", reason, journal)
	}
	m.await("the old workers alone", func() bool {
		s := m.status()
		return slices.Equal(s.named("web").pids(), before.named("web").pids()) && slices.Equal(s.named("api").pids(), before.named("api").pids())
	})
}
