//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// TestWorkersFollowTheLoad: more requests than the workers can serve at once bring
// up workers until they can, and when the load ends they leave again. No request
// fails, neither then nor of the few that go on coming.
func TestWorkersFollowTheLoad(t *testing.T) {
	const least, most, clients = 1, 8, 8
	port := freePort(t)
	m := manage(t, site(t), served("web", port).with(
		"pool.web.command", list(guestBin(), testguest.Word, "http", "-notify", "-serial", "-work", "20ms"),
		"pool.web.workers", "{min = 1, max = 8}",
		"pool.web.autoscale", `{queue = 1.0, up_after = "1s", down_after = "1s"}`,
	))
	m.scaled(least)
	few := startLoad(t, address(port), func(c *loadgen.Config) { c.Clients, c.Think = 1, 50*time.Millisecond })
	many := startLoad(t, address(port), func(c *loadgen.Config) { c.Clients, c.Think = clients, 0 })

	// One is served by each worker, and one may wait for each.
	m.await("half as many workers as clients", func() bool {
		p := m.status().named("web")
		return p.Desired >= clients/2 && p.whole()
	})
	if stdout, _, _ := m.verb("status"); !strings.Contains(stdout, " (1-8) ready") {
		t.Errorf("the status does not show the bounds:\n%s", stdout)
	}
	if _, stderr, code := m.verb("scale", "9"); code != 1 || !strings.Contains(stderr, "follows the load between 1 and 8") {
		t.Errorf("scaling beyond the bounds ended with %d: %s", code, stderr)
	}
	shared, err := loadgen.Run(t.Context(), loadgen.Config{Address: address(port), Requests: 200, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	if slots := len(shared.Slots()); slots < clients/2 {
		t.Errorf("%d slots served:\n%s", slots, &shared)
	}
	busy := many.Stop()
	m.await("the least again", func() bool { p := m.status().named("web"); return p.Desired == least && p.whole() })
	calm := few.Stop()
	for _, result := range []loadgen.Result{busy, shared, calm} {
		if result.Failed() != 0 || result.OK() == 0 {
			t.Errorf("some failed:\n%s", &result)
		}
	}
	for _, step := range m.said("pool scaled") {
		if step.From == step.To || step.To < least || step.To > most || step.To > 2*step.From {
			t.Errorf("step %+v", step)
		}
		t.Logf("%d -> %d (%s) with %d waiting", step.From, step.To, step.Reason, step.Queued)
	}
	m.stop()
}

// scaled demands that the pool has so many workers.
func (m *managed) scaled(want int) {
	m.t.Helper()
	if p := m.status().named("web"); p.Desired != want || !p.whole() {
		m.t.Errorf("want %d workers: %s", want, p)
	}
}
