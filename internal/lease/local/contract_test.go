package local_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/leasetest"
	"github.com/broodctl/brood/internal/lease/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	leasetest.Run(t, func(t *testing.T, body func(*testing.T, leasetest.World)) {
		dir := t.TempDir()
		body(t, leasetest.World{
			Engine: func(t *testing.T, who string) lease.Engine { return engine(t, dir, who) },
			Kill: func(t *testing.T, e lease.Engine) {
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
			},
			// Its descriptors stay open until the test ends, as those of a process that goes on.
			Upgrade:  func(t *testing.T, _ lease.Engine, who string) lease.Engine { return engine(t, dir, who) },
			Patience: 20 * time.Second,
		})
	})
}

func engine(t *testing.T, dir, who string) *local.Engine {
	t.Helper()
	e, err := local.New(local.Config{Dir: dir, Who: who})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}
