//go:build e2e

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/compat"
	"github.com/broodctl/brood/internal/testhost"
)

// TestCompatibility: what the page says of the servers that every test machine has holds.
// One rollout, reload and kill of a worker of each show that; the figures are made by make compat.
func TestCompatibility(t *testing.T) {
	recorded, err := compat.Load("../docs/compatibility.json")
	if err != nil {
		t.Fatal(err)
	}
	runner := &compat.Runner{Brood: broodBin(), Port: freePort(t), Workers: 1, Times: 1, Settle: 100 * time.Millisecond, Unasked: patience}
	servers := compat.Servers()
	for _, name := range []string{"Node http", "Go net/http, activation", "gunicorn, sync", "uvicorn", "nginx"} {
		t.Run(name, func(t *testing.T) {
			server := servers[slices.IndexFunc(servers, func(s compat.Server) bool { return s.Name == name })]
			testhost.Need(t, testhost.Program(server.Probe[0]))
			was := recorded.Servers[slices.IndexFunc(recorded.Servers, func(r compat.Result) bool { return r.Name == name })]
			result, err := runner.TryAgain(t.Context(), server, was)
			if err != nil {
				t.Fatal(err)
			}
			if result.ChecksPID != was.ChecksPID || result.Notifies != was.Notifies || result.Exit != was.Exit ||
				result.Reload.Signal != was.Reload.Signal {
				t.Errorf("the page has %+v, and now %+v", was, result)
			}
			if result.Rollouts.Failed != 0 || result.Kills.Lost() != 0 || result.Rollouts.Requests == 0 || result.Kills.Requests == 0 {
				t.Errorf("rollouts: %s, kills: %s", result.Rollouts, result.Kills)
			}
		})
	}
}
