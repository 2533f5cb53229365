package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/leasetest"
	"github.com/broodctl/brood/internal/lease/memory"
	"github.com/broodctl/brood/internal/lease/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	leasetest.Run(t, func(t *testing.T, body func(*testing.T, leasetest.World)) {
		synctest.Test(t, func(t *testing.T) {
			s := server(t)
			body(t, leasetest.World{
				Engine: func(t *testing.T, who string) lease.Engine { return engine(t, s.Client(), remote.Config{Who: who}) },
				Kill:   kill,
				Upgrade: func(t *testing.T, e lease.Engine, who string) lease.Engine {
					session := e.Session()
					kill(t, e)
					return engine(t, s.Client(), remote.Config{Who: who, Resume: remote.Saved{Session: session}})
				},
				Cooldown: 11 * time.Second,
				Patience: 5 * time.Minute,
			})
		})
	})
}

func server(t *testing.T) *memory.Server {
	s := memory.NewServer(memory.Config{Latency: 2 * time.Millisecond})
	t.Cleanup(s.Stop)
	return s
}

func engine(t *testing.T, c *memory.Client, cfg remote.Config) *remote.Engine {
	t.Helper()
	e, err := c.Engine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func kill(t *testing.T, e lease.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
