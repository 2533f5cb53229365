//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

// TestManyPools: of fifty pools one is rolled, one scaled, one goes and one comes,
// and all others keep their processes.
func TestManyPools(t *testing.T) {
	t.Parallel()
	const pools = 50
	k := keys{}
	for n := range pools {
		k = together(k, sleepers(fmt.Sprintf("p%02d", n), 1))
	}
	m := manage(t, site(t), k)
	m.becomes(m.keys.with("pool.p07.env.N", `"1"`), map[string]string{"p07": "rolled"})
	m.becomes(
		together(m.keys.without("pool.p08"), sleepers("extra", 1), keys{"pool.p09.workers": "3", "pool.p10.stop.grace": `"5s"`, "pool.p11.dir": `"/"`}),
		map[string]string{"p08": "removed", "extra": "added", "p09": "scaled", "p10": "adjusted", "p11": "rolled"},
	)
	m.stop()
}
