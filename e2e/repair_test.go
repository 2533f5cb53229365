//go:build e2e

package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// TestSpoiledSocketsAreRepaired: a worker that shuts its listening socket down, or
// makes it blocking and its backlog tiny, spoils it for all that come after it. It is
// put back while the worker lives, and counted.
func TestSpoiledSocketsAreRepaired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		guest string
		count func(repairs) int
	}{
		{"shutdown", func(r repairs) int { return r.Revived }},
		{"clearer", func(r repairs) int { return min(r.Nonblock, r.Backlog) }},
	} {
		t.Run(c.guest, func(t *testing.T) {
			port := freePort(t)
			m := manage(t, site(t), served("web", port).with(
				"pool.web.command", list(guestBin(), testguest.Word, c.guest, "-notify"),
				"pool.web.health.hang", `"10s"`,
			))
			before := m.status().named("web")
			for slot := range before.Workers {
				askGuest(t, port, slot, "/harm")
			}
			m.await("both sockets to be repaired", func() bool { return c.count(m.status().named("web").Repairs) >= 2 })
			for slot := range before.Workers {
				if f := askGuest(t, port, slot, "/"); f.Slot != slot {
					t.Errorf("slot %d answers in place of %d", f.Slot, slot)
				}
			}
			if after := m.status().named("web"); after.Restarts != before.Restarts {
				t.Errorf("workers died: %s", after)
			}
			m.stop()
		})
	}
}

// askGuest asks the worker of a slot, and no other, as the probe lane does.
func askGuest(t *testing.T, port, slot int, path string) testguest.Facts {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, byte(slot>>8), byte(slot))}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + address(port) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var f testguest.Facts
	if err := json.NewDecoder(response.Body).Decode(&f); err != nil {
		t.Fatalf("cannot read the answer of slot %d: %v", slot, err)
	}
	return f
}
