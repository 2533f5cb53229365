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
		cpu   float64
		pid   int
		after time.Duration
		want  float64 // -1 if it is not known
	}{
		{"the first measurement", 10, 7, 0, -1},
		{"two seconds on", 11, 7, 2 * time.Second, 50},
		{"the same once more", 11, 7, 0, 50},
		{"at once again, and more", 11.1, 7, time.Millisecond, 50},
		{"idle", 11, 7, 2 * time.Second, 0},
		{"several CPUs", 17, 7, 2 * time.Second, 300},
		{"it fell", 3, 7, 2 * time.Second, 0},
		{"another process", 4, 8, 2 * time.Second, -1},
		{"that one", 5, 8, time.Second, 100},
	} {
		at = at.Add(tc.after)
		snap := of(tc.cpu, tc.pid)
		snap.Measured = at
		m = m.take(snap)
		got := -1.0
		if share := m.share("web", &snap.Pools[0].Workers[0]); share != nil {
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
	if len(meter{}.take(none)) != 0 {
		t.Error("something was measured of a worker without usage")
	}
}

// A pool whose leader is another supervisor's is as it should be.
func TestStandsBy(t *testing.T) {
	view := supervisor.PoolView{
		Name: "web", State: supervisor.StateReady, Ready: 1, Desired: 2, StandsBy: 1,
		Claims: &supervisor.ClaimsView{Held: 2, Waits: []string{"waits for the leader's place: held by b"}},
	}
	if p := newPool(&view, meter{}); !p.healthy() || p.missing() != 0 || p.Why != "" {
		t.Errorf("it stands by: %+v", p)
	}
	view.Ready = 0
	if p := newPool(&view, meter{}); p.healthy() {
		t.Errorf("a worker is missing: %+v", p)
	}
	view.Ready, view.Claims = 1, &supervisor.ClaimsView{Waiting: 1, Waits: []string{"waits for a worker id: all are taken"}}
	if p := newPool(&view, meter{}); p.healthy() || p.Why == "" {
		t.Errorf("it waits for an id: %+v", p)
	}
}
