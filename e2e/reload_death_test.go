//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// halfway is a brood in the middle of a reload: every incumbent has a successor
// that does not become ready.
func halfway(t *testing.T, more ...string) (m *managed, verdict func() (string, int), tr traffic) {
	t.Helper()
	port := freePort(t)
	k := guestPool("web", port, "http", "-notify").with("pool.web.ready", `"notify"`).with(more...)
	m = manage(t, site(t), together(k, sleepers("idle", 1)))
	tr = lightTraffic(t, port)
	write(t, m.path, m.keys.with("pool.web.command", list(guestBin(), testguest.Word, "never-ready")).String())
	verdict = m.begins("reload")
	m.await("two incumbents and two successors", func() bool {
		p := m.status().named("web")
		alive := 0
		for _, w := range p.Workers {
			if w.PID != 0 {
				alive++
			}
		}
		return alive == 4
	})
	return m, verdict, tr
}

// ends watches all workers, to wait until none of them is left.
func (m *managed) ends() func() {
	m.t.Helper()
	var all []func()
	for _, p := range m.status().Pools {
		for _, pid := range p.pids() {
			all = append(all, watchEnd(m.t, pid))
		}
	}
	return func() {
		m.t.Helper()
		for _, end := range all {
			end()
		}
	}
}

// TestKilledInReload: a supervisor that is killed in the middle of a reload takes
// both generations along.
func TestKilledInReload(t *testing.T) {
	t.Parallel()
	m, verdict, _ := halfway(t)
	gone := m.ends()
	if err := m.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	m.code()
	gone()
	if said, code := verdict(); code == 0 {
		t.Errorf("who waited for the reload is told %d: %s", code, said)
	}
}

// TestStopInReload: a stop overtakes a reload, and nothing that was under way fails.
func TestStopInReload(t *testing.T) {
	t.Parallel()
	m, verdict, tr := halfway(t)
	gone := m.ends()
	if err := tr.fresh.Await(t.Context(), 50); err != nil {
		t.Error(err)
	}
	tr.stopLoads()
	m.stop()
	gone()
	if said, code := verdict(); code != 1 || !strings.Contains(said, "stopping") {
		t.Errorf("who waited for the reload is told %d: %s", code, said)
	}
	tr.flawless(t)
}

// TestFourTerminationsInReload: the fourth ends a reload at once as well.
func TestFourTerminationsInReload(t *testing.T) {
	t.Parallel()
	m, verdict, _ := halfway(t, "pool.web.command", list(guestBin(), testguest.Word, "stubborn", "-notify"), "pool.web.stop.grace", `"10m"`)
	gone := m.ends()
	m.terminate(4)
	if code := m.code(); code != 1 {
		t.Errorf("brood ended with %d, want 1", code)
	}
	gone()
	if said, code := verdict(); code == 0 {
		t.Errorf("who waited for the reload is told %d: %s", code, said)
	}
}

// TestFrozenWorkersInReload: a frozen incumbent is woken when it is told to leave,
// and a frozen successor fails the reload. Lost is at most what a client had sent to
// a worker that is woken and told to leave at once.
func TestFrozenWorkersInReload(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	k := guestPool("web", port, "http", "-notify").with("pool.web.ready", `"notify"`, "pool.web.rollout.ready_timeout", `"2s"`)
	m := manage(t, site(t), k)
	tr := lightTraffic(t, port)
	m.freeze(func(w worker) bool { return w.Slot == 0 })
	m.becomes(m.keys.with("pool.web.env.N", `"1"`), map[string]string{"web": "rolled"})

	m.fails(func() (string, int) {
		write(t, m.path, m.keys.with("pool.web.command", list(guestBin(), testguest.Word, "never-ready")).String())
		verdict := m.begins("reload")
		m.reloading("web")
		m.freeze(func(w worker) bool { return !w.Ready && w.PID != 0 })
		return verdict()
	}, "not ready within 2s")
	fresh, kept := tr.stopLoads()
	if inHand := fresh.Count(loadgen.Short) + fresh.Count(loadgen.Reset); fresh.Failed() != inHand || inHand > lightClients {
		t.Errorf("a connection per request:\n%s", &fresh)
	}
	if kept.Failed() != 0 {
		t.Errorf("kept connections:\n%s", &kept)
	}
	m.stop()
}

// freeze stops workers of the only pool.
func (m *managed) freeze(meant func(worker) bool) {
	m.t.Helper()
	for _, w := range m.pool1().Workers {
		if meant(w) {
			m.halt(w.PID)
		}
	}
}
