package supervisor

import (
	"context"
	"errors"
	"net"
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

// An IPv6 listener has one lane for each socket: whoever comes second waits, and nobody waits for ever.
func TestNarrowLanesTakeOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lane := make(turn, 1)
		fails := false
		dial := lane.oneByOne(func(context.Context) (net.Conn, error) {
			if fails {
				return nil, syscall.ECONNREFUSED
			}
			ours, _ := net.Pipe()
			return ours, nil
		})
		first, err := dial(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("beside another one: %v", err)
		}
		_ = first.Close()
		_ = first.Close() // gives the lane back once
		fails = true
		for range 3 {
			if _, err := dial(context.Background()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("after that: %v", err)
			}
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
