//go:build e2e

package e2e

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

const kills = 50

// TestKills: of fifty workers killed under load, only what they had accepted is
// lost; what waited in their queues is served.
func TestKills(t *testing.T) {
	for _, mode := range []string{"sharded", "shared"} {
		t.Run(mode, func(t *testing.T) {
			port, counters := freePort(t), scratch(t, os.Geteuid())
			b := launch(t, options{
				flags: []string{
					"-n", strconv.Itoa(slots), "-l", "http=" + address(port) + ",mode=" + mode,
					// Each slot dies a dozen times within seconds, which is no crash loop.
					"--backoff", "10ms", "--max-backoff", "50ms",
				},
				// Busy enough that there is always something in hand and in the queue.
				command: []string{guestBin(), testguest.Word, "http", "-notify", "-work", "2ms", "-counters", counters},
			})
			load := startLoad(t, address(port), func(c *loadgen.Config) { c.Clients, c.Think = 32, 0 })
			for n := range kills {
				if err := load.Await(t.Context(), 200); err != nil {
					t.Fatal(err)
				}
				before := b.pool()
				victim := before.Workers[n%len(before.Workers)]
				if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
					t.Fatalf("cannot kill %d: %v", victim.PID, err)
				}
				b.await("a successor of the killed", func() bool {
					now := b.pool()
					return now.whole() && now.Restarts > before.Restarts
				})
			}
			result := load.Stop()
			b.stop()
			account(t, result, counters)
		})
	}
}

// account compares what the clients lost with what the dead had in hand.
func account(t *testing.T, result loadgen.Result, counters string) {
	t.Helper()
	all, err := testguest.ReadCounters(counters)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != slots+kills {
		t.Errorf("%d processes ran, want %d", len(all), slots+kills)
	}
	unanswered := 0
	for _, c := range all {
		unanswered += c.Unanswered()
	}
	lost := max(0, result.Failed()-unanswered)
	t.Logf("%d requests, %d failed, %d had been accepted by the killed, %d lost from queues",
		result.Requests(), result.Failed(), unanswered, lost)
	if lost != 0 {
		t.Errorf("%d were lost from the queues:\n%s", lost, &result)
	}
	if n := result.Count(loadgen.Refused) + result.Count(loadgen.Late) + result.Count(loadgen.Status); n != 0 {
		t.Errorf("a kill refuses nobody and delays nobody for long:\n%s", &result)
	}
}
