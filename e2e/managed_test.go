//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

// managed is a brood with a configuration file.
type managed struct {
	*brood
	path string
	keys keys // what the file says
}

// manage writes a configuration and launches brood with it.
func manage(t *testing.T, dir string, k keys) *managed {
	t.Helper()
	m := &managed{path: filepath.Join(dir, "brood.toml"), keys: k}
	write(t, m.path, k.String())
	m.brood = launch(t, options{file: m.path})
	return m
}

// try writes another configuration and reloads it.
func (m *managed) try(k keys) (said string, code int) {
	m.t.Helper()
	write(m.t, m.path, k.String())
	stdout, stderr, code := m.verb("reload")
	return stdout + stderr, code
}

// becomes reloads another configuration and demands that it does what is said of
// each pool (rolled, scaled, adjusted, added, removed), and leaves the processes of
// all others alone.
func (m *managed) becomes(k keys, want map[string]string) {
	m.t.Helper()
	before := m.status()
	write(m.t, m.path, k.String())
	m.plans(want)
	if said, code := m.try(k); code != 0 {
		m.t.Fatalf("the reload ended with %d:\n%s", code, said)
	}
	m.keys = k
	m.await("the end of who is on the way out", m.whole)
	after := m.status()
	for _, was := range before.Pools {
		is, action := after.named(was.Name), want[was.Name]
		if action != "removed" && is.Restarts != was.Restarts {
			m.t.Errorf("pool %s had deaths that nobody asked for: %s", was.Name, is)
		}
		kept := 0
		for _, pid := range was.pids() {
			if slices.Contains(is.pids(), pid) {
				kept++
			}
		}
		keeps := len(was.Workers)
		switch action {
		case "rolled", "removed":
			keeps = 0
		case "scaled":
			keeps = min(was.Desired, is.Desired)
		}
		if kept != keeps {
			m.t.Errorf("pool %s (%q) kept %d processes, want %d:\nbefore %s\nafter %s", was.Name, action, kept, keeps, was, is)
		}
	}
}

// whole tells whether every pool has exactly its ready workers.
func (m *managed) whole() bool {
	return !slices.ContainsFunc(m.status().Pools, func(p pool) bool { return !p.whole() })
}

// plans demands that brood plan foretells it.
func (m *managed) plans(want map[string]string) {
	m.t.Helper()
	var plan struct {
		Pools []struct{ Pool, Action string } `json:"pools"`
	}
	text := m.must("plan", "--output", "json")
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		m.t.Fatalf("cannot read the plan: %v\n%s", err, text)
	}
	for _, p := range plan.Pools {
		action, changes := want[p.Pool]
		if changes && p.Action != action || !changes && p.Action != "untouched" && p.Action != "signalled" {
			m.t.Errorf("pool %s is to be %s, want %q:\n%s", p.Pool, p.Action, action, text)
		}
	}
}

// refuses reloads a configuration that must fail, with the reason among what the
// command says, and leave every process alone.
func (m *managed) refuses(k keys, reasons ...string) {
	m.t.Helper()
	m.fails(func() (string, int) { return m.try(k) }, reasons...)
	write(m.t, m.path, m.keys.String())
}

// fails is the same for anything that fails.
func (m *managed) fails(do func() (said string, code int), reasons ...string) {
	m.t.Helper()
	before := m.status()
	said, code := do()
	if code != 1 {
		m.t.Errorf("the command ended with %d, want 1:\n%s", code, said)
	}
	for _, reason := range reasons {
		if !strings.Contains(said, reason) {
			m.t.Errorf("the command does not say %q:\n%s", reason, said)
		}
	}
	m.await("the old workers alone", m.whole)
	after := m.status()
	for _, was := range before.Pools {
		if is := after.named(was.Name); !slices.Equal(was.pids(), is.pids()) {
			m.t.Errorf("pool %s has other processes:\nbefore %s\nafter %s", was.Name, was, is)
		}
	}
	if len(after.Pools) != len(before.Pools) {
		m.t.Errorf("there are other pools: %+v", after.Pools)
	}
}

// lightClients are those that open a connection per request.
const lightClients = 3

// lightTraffic is a load that leaves the machine something to start workers with.
func lightTraffic(t *testing.T, port int) traffic {
	t.Helper()
	return traffic{
		fresh: startLoad(t, address(port), func(c *loadgen.Config) { c.Clients, c.Think = lightClients, 4*time.Millisecond }),
		kept: startLoad(t, address(port), func(c *loadgen.Config) {
			c.Reuse, c.Clients, c.Think = loadgen.KeepAlive, 2, 4*time.Millisecond
		}),
	}
}
