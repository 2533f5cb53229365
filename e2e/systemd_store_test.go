//go:build e2e

package e2e

import (
	"slices"
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

// Requests between two of a kind: a moment, or all that waited meanwhile and some more.
const (
	moment  = 300
	catchUp = 2000
)

// under does something several times under a load of new connections at a rate of their own, and returns what became of it.
func (m *machine) under(times, apart int, do func()) loadgen.Result {
	m.t.Helper()
	load := m.load(func(c *loadgen.Config) { c.Think, c.Rate, c.Clients, c.Timeout = 0, 1000, 4000, patience })
	served := func(n int) {
		if err := load.Await(m.t.Context(), n); err != nil {
			m.t.Fatal(err)
		}
	}
	served(moment)
	do()
	for range times - 1 {
		served(apart)
		do()
	}
	served(moment)
	return load.Stop() // when all that wait have been answered
}

func (m *machine) restarted() {
	m.t.Helper()
	m.ctl("restart", m.unit)
}

// killed has systemd start brood again, and returns the workers that died with it.
func (m *machine) killed() []int {
	m.t.Helper()
	workers := m.pool().pids()
	pid := m.show("MainPID")
	m.Must(m.t.Context(), "kill", "-KILL", pid)
	m.await("another process", func() bool { return m.show("MainPID") != pid && m.show("ActiveState") == "active" })
	return workers
}

// unanswered is the most that some workers may have accepted and not answered.
func (m *machine) unanswered(dead []int) int {
	m.t.Helper()
	guests, err := testguest.ReadCounters(m.Path(tallies))
	if err != nil {
		m.t.Fatal(err)
	}
	n := 0
	for _, c := range guests {
		if slices.Contains(dead, c.PID) {
			n += c.Unanswered()
		}
	}
	return n
}

// TestSystemdStore: over upgrades, upgrades that are refused and restarts no request fails; over deaths of brood lost is only
// what a worker had accepted that died with it.
func TestSystemdStore(t *testing.T) {
	const all = "12" // two shards for each of four slots, a unix socket with its lock, two of the record
	m := installKept(t, "http -notify -work 1ms -counters "+tallies, all)
	m.storeHas(all)
	good := upgrades(t, 2)
	some := max(1, good/5)
	none := func(what string, times int, r loadgen.Result) {
		t.Logf("%d requests over %d %s, %d failed, longest %s", r.Requests(), times, what, r.Failed(), r.Latency.Max().Round(time.Millisecond))
		if r.Failed() > 0 || r.OK() == 0 {
			t.Errorf("%s:\n%s\n%s", what, &r, m.journal())
		}
	}

	pid := m.show("MainPID")
	none("upgrades", good, m.under(good, moment, func() { m.Must(t.Context(), "brood", "upgrade", "--name", "web") }))
	none("refused upgrades", some, m.under(some, moment, func() {
		for _, program := range []string{"/bin/false", "/bin/true", "/nowhere"} {
			if said, complaint, code := m.Run(t.Context(), "brood", "upgrade", "--name", "web", "--program", program); code == 0 {
				t.Errorf("upgraded to %s: %s%s", program, said, complaint)
			}
		}
	}))
	if now, state := m.show("MainPID"), m.show("ActiveState"); now != pid || state != "active" {
		t.Errorf("after the upgrades the main process is %s, which was %s, and %s", now, pid, state)
	}
	m.storeHas(all)

	var dead []int
	r := m.under(some, catchUp, func() { dead = append(dead, m.killed()...) })
	lost := m.unanswered(dead)
	t.Logf("%d requests over %d deaths, %d failed, %d had been accepted by workers that died, longest %s",
		r.Requests(), some, r.Failed(), lost, r.Latency.Max().Round(time.Millisecond))
	if r.Failed() > lost || r.Count(loadgen.Refused)+r.Count(loadgen.Late) > 0 {
		t.Errorf("what waited in the queues was lost:\n%s\n%s", &r, m.journal())
	}
	m.storeHas(all)

	kept := m.load(func(c *loadgen.Config) { c.Clients, c.Reuse, c.Think = 4, loadgen.KeepAlive, 10*time.Millisecond })
	none("restarts", some, m.under(some, catchUp, m.restarted))
	if r := kept.Stop(); r.Failed() > 0 {
		t.Errorf("kept connections over restarts:\n%s", &r)
	}
	if !strings.Contains(m.journal(), "connections wait for the next process") {
		t.Errorf("a restart does not steer away:\n%s", m.journal())
	}
	m.storeHas(all)
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
