package supervisor

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

func TestRepairsAreCountedAndSaid(t *testing.T) {
	w := &world{handling: worker.Catches, behave: func(_ int, p *fakeProcess) { p.mood.spoiled = listener.Backlog }}
	perform(t, w, watched(2, func(p *plan.Pool) {
		p.Health.Hang, p.Spec.Reload = 10*time.Second, machine.ReloadSignal
	}), func(s *stage) {
		repairs := func() Repairs { return s.sup.Snapshot().Pools[0].Repairs }
		if got := repairs(); got != (Repairs{Backlog: 2}) || len(s.logged("socket restored")) != 0 {
			t.Errorf("when they have become ready: %+v, and said %v", got, s.logged("socket restored"))
		}
		w.process(1).set(func(m *mood) { m.spoiled = listener.Nonblock | listener.Revived })
		s.after(12 * time.Second)
		said := s.logged("socket restored")
		if got := repairs(); got != (Repairs{Backlog: 2, Nonblock: 1, Revived: 1}) || len(said) != 1 || said[0]["pid"] != 101.0 {
			t.Errorf("in a round: %+v, and said %v", got, said)
		}
		s.sup.Report(listener.Event{Kind: listener.EventRevived, Listener: "http", Slot: 0, Side: listener.A, Count: 1})
		s.sup.Report(listener.Event{Kind: listener.EventRevived, Listener: "http", Slot: -1, Count: 1})
		s.sup.Report(listener.Event{Kind: listener.EventRelayed, Listener: "http", Slot: 0, Count: 1})
		s.after(time.Second)
		said = s.logged("socket that a worker had shut down listens again")
		if got := repairs().Revived; got != 3 || len(said) != 2 || said[0]["pid"] != 100.0 || said[1]["pid"] != nil {
			t.Errorf("revived %d, and said %v", got, said)
		}
	})
}

// Many programs listen anew when they reload.
func TestSocketsAreRestoredAfterAReload(t *testing.T) {
	w := &world{handling: worker.Catches}
	perform(t, w, func(c *Config) { c.Desired.Pools[0].Spec.Reload = machine.ReloadSignal }, func(s *stage) {
		s.signals <- syscall.SIGHUP
		synctest.Wait()
		w.process(0).set(func(m *mood) { m.spoiled = listener.Backlog })
		s.after(time.Second)
		if got := s.sup.Snapshot().Pools[0].Repairs.Backlog; got != 1 {
			t.Errorf("restored %d", got)
		}
	})
}

// An IPv6 listener has one lane for each socket: whoever comes second waits, which is no part of its timeout, and nobody
// waits for another listener.
func TestNarrowLanesTakeOneAfterTheOther(t *testing.T) {
	six := func(c *listener.Config) { c.Address.Host = "::1" }
	http, admin := tcp("http", 80), tcp("admin", 81)
	six(&http)
	six(&admin)
	w := &world{lanes: true}
	perform(t, w, func(c *Config) {
		c.Desired.Listeners = []listener.Config{http, admin}
		c.Desired.Pools[0].Listen = []string{"http", "admin"}
	}, func(s *stage) {
		p := s.sup.pools[0]
		rec := p.workers[machine.Ref{Slot: 0, Inc: 1}]
		ask := func(name string, timeout time.Duration) func() (time.Duration, error) {
			c := asking("/")
			c.Listener, c.Timeout = name, timeout
			q := p.question(rec, c)
			return func() (time.Duration, error) {
				begin := time.Now()
				err := q.Once(context.Background(), q.world)
				return time.Since(begin), err
			}
		}
		first, second, other := ask("http", 3*time.Second), ask("http", time.Second), ask("admin", time.Second)
		w.process(0).set(func(m *mood) { m.status = -1 })
		go func() { _, _ = first() }()
		synctest.Wait() // that one waits for its answer
		w.process(0).set(func(m *mood) { m.status = 0 })
		if took, err := other(); took != 0 || err != nil {
			t.Errorf("on another listener: %v after %s", err, took)
		}
		if took, err := second(); took != 3*time.Second || err != nil {
			t.Errorf("behind another one: %v after %s", err, took)
		}
	})
	for _, tt := range []struct {
		at   listener.Address
		want bool
	}{
		{listener.Address{Host: "::1"}, true},
		{listener.Address{Family: 6}, true},
		{listener.Address{Host: "127.0.0.1"}, false},
		{listener.Address{}, false},
	} {
		if got := isNarrow(&fakeListener{cfg: listener.Config{Address: tt.at}}); got != tt.want {
			t.Errorf("%+v: %t", tt.at, got)
		}
	}
}
