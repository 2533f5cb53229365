package top

import (
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
)

func TestShares(t *testing.T) {
	of := func(cpu float64, pid int) supervisor.Snapshot {
		w := worker(0, pid, "ready", 0, cpu)
		return supervisor.Snapshot{Pools: []supervisor.PoolView{{Name: "web", Workers: []supervisor.WorkerView{w}}}}
	}
	at := start()
	m := meter{}
	for _, tc := range []struct {
		name  string
		snap  supervisor.Snapshot
		after time.Duration
		want  float64 // -1 if it is not known
	}{
		{"the first measurement", of(10, 7), 0, -1},
		{"two seconds on", of(11, 7), 2 * time.Second, 50},
		{"at once again", of(11, 7), time.Millisecond, 50},
		{"at once again, and more", of(11.1, 7), time.Millisecond, 50},
		{"figures that were kept", of(11, 7), 2 * time.Second, 50},
		{"idle", of(11, 7), 3 * time.Second, 0},
		{"several CPUs", of(17, 7), 2 * time.Second, 300},
		{"it fell", of(3, 7), 2 * time.Second, 0},
		{"another process", of(4, 8), 2 * time.Second, -1},
		{"that one", of(5, 8), time.Second, 100},
	} {
		at = at.Add(tc.after)
		m = m.take(tc.snap, at)
		got := -1.0
		if share := m.share("web", &tc.snap.Pools[0].Workers[0]); share != nil {
			got = *share
		}
		if got < tc.want-0.1 || got > tc.want+0.1 {
			t.Errorf("%s: %.1f%%, want %.1f%%", tc.name, got, tc.want)
		}
		if len(m) != 1 {
			t.Errorf("%s: %d processes are kept", tc.name, len(m))
		}
	}
	none := of(1, 7)
	none.Pools[0].Workers[0].Usage = nil
	if len(meter{}.take(none, at)) != 0 {
		t.Error("something was measured of a worker without usage")
	}
}
