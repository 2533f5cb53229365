//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// tallies is where the guests count.
const tallies = "/var/lib/counted"

// installKept boots a machine whose brood opens port 80 and a unix socket itself, and has systemd keep them.
func installKept(t *testing.T, guest, room string) *machine {
	t.Helper()
	m := install(t, guest, "FileDescriptorStoreMax="+room)
	unit := read(t, m.Path("/etc/systemd/system/brood.service"))
	for from, to := range map[string]string{
		"Sockets=brood.socket\n": "", "-l http=systemd:http": "-l http=:80 -l side=unix:/run/brood/side.sock",
		"User=brood": "", "RestartSec=1": "RestartSec=100ms", "[Service]": "StartLimitIntervalSec=0\n[Service]",
	} {
		unit = strings.Replace(unit, from, to, 1)
	}
	m.Unit("brood.service", unit)
	m.Must(t.Context(), "mkdir", tallies)
	m.ctl("start", "brood.service")
	return m
}

func (m *machine) storeHas(n string) {
	m.t.Helper()
	m.await(n+" stored descriptors", func() bool { return m.show("NFileDescriptorStore") == n })
}

// TestSystemdStore: over restarts, and deaths of brood, all that waits in the queues is served; lost is only what a worker
// had accepted that died with it.
func TestSystemdStore(t *testing.T) {
	const restarts, deaths, upgrades = 2, 2, 3
	const all = "12" // two shards for each of four slots, a unix socket with its lock, two of the record
	m := installKept(t, "http -notify -work 1ms -counters "+tallies, all)
	m.storeHas(all)
	load := m.load(func(c *loadgen.Config) { c.Clients, c.Timeout = 16, patience })
	for range restarts {
		if err := load.Await(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		m.ctl("restart", "brood.service")
		m.storeHas(all)
	}
	for range deaths {
		if err := load.Await(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		pid := m.show("MainPID")
		m.Must(t.Context(), "kill", "-KILL", pid)
		m.await("another process", func() bool {
			return m.show("MainPID") != pid && m.show("ActiveState") == "active"
		})
		m.storeHas(all)
	}
	pid := m.show("MainPID")
	for range upgrades {
		if err := load.Await(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		m.Must(t.Context(), "brood", "upgrade", "--name", "web")
		m.storeHas(all)
	}
	if now, state := m.show("MainPID"), m.show("ActiveState"); now != pid || state != "active" {
		t.Errorf("after the upgrades the main process is %s, which was %s, and %s", now, pid, state)
	}
	if err := load.Await(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	result := load.Stop()
	guests, err := testguest.ReadCounters(m.Path(tallies))
	if err != nil {
		t.Fatal(err)
	}
	unanswered := 0
	for _, c := range guests {
		unanswered += c.Unanswered()
	}
	t.Logf("%d requests over %d restarts, %d deaths and %d upgrades, %d failed, %d had been accepted by workers that died, longest %s",
		result.Requests(), restarts, deaths, upgrades, result.Failed(), unanswered, result.Latency.Max().Round(time.Millisecond))
	if result.Failed() > unanswered || result.Count(loadgen.Refused)+result.Count(loadgen.Late) > 0 {
		t.Errorf("what waited in the queues was lost:\n%s\n%s", &result, m.journal())
	}
	if log := m.journal(); strings.Contains(log, "cannot go on") || strings.Contains(log, "too small") {
		t.Errorf("it says:\n%s", log)
	}
	m.stopped()
	m.storeHas("0")

	// With room for some they are kept, and the others are told.
	drop := "/etc/systemd/system/brood.service.d/room.conf"
	m.Install(drop, 0o644, []byte("[Service]\nFileDescriptorStoreMax=5\n"))
	m.ctl("daemon-reload")
	m.ctl("start", "brood.service")
	m.storeHas("4")
	m.await("a word about the others", func() bool {
		return strings.Contains(m.journal(), `"needed":12,"room":5,"listeners":["http"]`)
	})
	m.stopped()
}
