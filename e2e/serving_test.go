//go:build e2e

package e2e

import (
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
)

// TestServedByAllSlots: each kind of worker, four times, shares the load.
func TestServedByAllSlots(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, b *brood, address string) {
		if p := b.pool(); !p.whole() || p.Desired != slots {
			t.Errorf("after READY=1: %s", p)
		}
		const n = 400
		result, err := loadgen.Run(t.Context(), loadgen.Config{Address: address, Clients: 8, Requests: n})
		if err != nil {
			t.Fatal(err)
		}
		if result.Failed() != 0 {
			t.Errorf("some failed:\n%s", &result)
		}
		for slot := range slots {
			// Steered at random: the odds of half of its share are 1 to 10^8.
			if got := result.Slots()[slot]; got < n/slots/2 {
				t.Errorf("slot %d answered %d of %d", slot, got, n)
			}
		}
	})
}
