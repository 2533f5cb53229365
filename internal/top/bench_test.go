package top

import (
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/broodctl/brood/supervisor"
)

// crowd is a supervisor with so many workers, some of them unwell.
func crowd(n int) supervisor.Snapshot {
	pool := supervisor.PoolView{Name: "web", Phase: "serving", State: "ready", Desired: n, Ready: n}
	for i := range n {
		w := worker(i, 1000+i, "ready", uint64(i)<<20, float64(i))
		if i%10 == 3 {
			w.Health = fmt.Sprintf("readiness probe: GET /readyz: 503 Service Unavailable (%d)", i)
		}
		pool.Workers = append(pool.Workers, w)
	}
	return supervisor.Snapshot{Name: "shop", PID: 1, State: "ready", Started: start(), Pools: []supervisor.PoolView{pool}}
}

// frameTime is what a picture, a key or a frame of a thousand workers may take at most, on a machine with other things to do: a
// fifth of a second is when people begin to wait. On an idle one it is a hundredth of this.
const frameTime = 200 * time.Millisecond

func TestThousandWorkersAreFluid(t *testing.T) {
	m := New(Options{Colour: true, Sort: "CPU%"})
	m, _ = m.Update(tea.WindowSizeMsg{Width: 200, Height: 60})
	at := start()
	best := map[string]time.Duration{}
	measure := func(what string, do func()) {
		since := time.Now()
		do()
		if d := time.Since(since); best[what] == 0 || d < best[what] {
			best[what] = d
		}
	}
	for i := range 5 {
		snap := crowd(1000)
		at = at.Add(2 * time.Second)
		measure("picture", func() { m, _ = m.Update(Arrived{Snapshot: snap, At: at}) })
		measure("key", func() { m, _ = m.Update(keyOfName([]string{"pgdown", "end", "u", "o", "home"}[i])) })
		measure("frame", func() { _ = m.View() })
	}
	for what, d := range best {
		t.Logf("%s: %s", what, d)
		if d > frameTime {
			t.Errorf("a %s takes %s", what, d)
		}
	}
}

func BenchmarkThousandWorkers(b *testing.B) {
	m := New(Options{Colour: true, Sort: "CPU%"})
	m, _ = m.Update(tea.WindowSizeMsg{Width: 200, Height: 60})
	snap := crowd(1000)
	at := start()
	m, _ = m.Update(Arrived{Snapshot: snap, At: at})
	b.Run("picture", func(b *testing.B) {
		for b.Loop() {
			at = at.Add(2 * time.Second)
			m, _ = m.Update(Arrived{Snapshot: snap, At: at})
		}
	})
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			m, _ = m.Update(keyOfName("down"))
		}
	})
	b.Run("frame", func(b *testing.B) {
		for b.Loop() {
			_ = m.View()
		}
	})
}
