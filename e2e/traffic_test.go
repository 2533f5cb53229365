//go:build e2e

package e2e

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

// startLoad begins a load that ends with the test.
func startLoad(t *testing.T, address string, change func(*loadgen.Config)) *loadgen.Load {
	t.Helper()
	cfg := loadgen.Config{
		Address: address, Clients: 8, Think: 2 * time.Millisecond, Duration: 10 * time.Minute, Timeout: 20 * time.Second,
	}
	if change != nil {
		change(&cfg)
	}
	load, err := loadgen.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { load.Stop() })
	return load
}

// traffic is two loads at once, one of each kind of connection. It leaves the machine something to start workers with.
type traffic struct{ fresh, kept *loadgen.Load }

func startTraffic(t *testing.T, address string) traffic {
	t.Helper()
	return traffic{
		fresh: startLoad(t, address, func(c *loadgen.Config) { c.Think = 6 * time.Millisecond }),
		kept: startLoad(t, address, func(c *loadgen.Config) {
			c.Reuse, c.Clients, c.Think = loadgen.KeepAlive, 4, 10*time.Millisecond
		}),
	}
}

// stopLoads stops both.
func (tr traffic) stopLoads() (fresh, kept loadgen.Result) { return tr.fresh.Stop(), tr.kept.Stop() }

// flawless stops the loads and demands that nothing failed. Requests that crossed
// the close of a kept connection are shown: see loadgen.Reused.
func (tr traffic) flawless(t *testing.T) {
	t.Helper()
	fresh, kept := tr.stopLoads()
	if fresh.Failed() != 0 || fresh.OK() == 0 {
		t.Errorf("a connection per request:\n%s", &fresh)
	}
	if kept.Failed() != 0 || kept.OK() == 0 {
		t.Errorf("kept connections:\n%s", &kept)
	}
	t.Logf("%d requests on as many connections; %d on kept ones, of which %d met a close",
		fresh.Requests(), kept.Requests(), kept.Count(loadgen.Reused))
}

// refused demands that nobody listens on a port.
func refused(t *testing.T, port int) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address(port), patience)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting to port %d: %v, want to be refused", port, err)
	}
	if err == nil {
		conn.Close()
	}
}
