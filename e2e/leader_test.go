//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// TestLeader: the worker of slot 0 leads, alone, over rollouts, a recycling and a
// death. Who leads holds a lock, and a second one that finds it held writes that down;
// so does one that lives on for a while after it was told to leave.
func TestLeader(t *testing.T) {
	t.Parallel()
	dir, port := site(t), freePort(t)
	doubles := filepath.Join(dir, "doubles")
	lead := `if [ "$BROOD_LEADER" = 1 ]; then exec 9>lock; flock -n 9 || echo "$$" >>"$1"; fi; shift; exec "$@"`
	m := manage(t, dir, guestPool("web", port).with(
		"pool.web.command", list("sh", "-c", lead, "leader", doubles, guestBin(), testguest.Word, "http", "-notify", "-after", "100ms"),
		"pool.web.workers", "3",
		"pool.web.leader", "true",
		"pool.web.dir", word(dir),
	))
	tr := startTraffic(t, address(port))
	for range 3 {
		m.must("roll", "--wait")
		m.leads(0)
	}
	m.must("restart", "web.0")
	m.leads(0)
	tr.flawless(t)
	victim := m.status().named("web").Workers[0]
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	m.await("a new leader", func() bool {
		p := m.status().named("web")
		return p.whole() && p.Workers[0].PID != victim.PID
	})
	m.leads(0)
	m.becomes(m.keys.with("pool.web.leader", "false"), map[string]string{"web": "rolled"})
	m.leads()
	m.becomes(m.keys.with("pool.web.leader", "true"), map[string]string{"web": "rolled"})
	m.leads(0)
	if text, err := os.ReadFile(doubles); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("these led while another one did: %s (%v)", strings.Fields(string(text)), err)
	}
}

// leads demands that these slots have the leaders.
func (m *managed) leads(slots ...int) {
	m.t.Helper()
	for _, w := range m.status().named("web").Workers {
		environ := read(m.t, fmt.Sprintf("/proc/%d/environ", w.PID))
		want, told := slices.Contains(slots, w.Slot), strings.Contains("\x00"+environ, "\x00BROOD_LEADER=1\x00")
		if w.Leader != want || told != want {
			m.t.Errorf("slot %d leads: %t in the status, %t in its environment; want %t", w.Slot, w.Leader, told, want)
		}
	}
}
