package remote_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/lease/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The kernel tells of a time by the clock that goes on while the machine is suspended, at once if it is over, and not
// after a stop.
func TestBoottime(t *testing.T) {
	clock := remote.Boottime{}
	told := make(chan time.Duration, 1)
	for _, after := range []time.Duration{-time.Hour, 0, 30 * time.Millisecond} {
		at := clock.Now() + after
		stop, err := clock.AfterFunc(at, func() { told <- clock.Now() })
		if err != nil {
			t.Fatal(err)
		}
		if now := <-told; now < at {
			t.Errorf("told %v before the time", at-now)
		}
		stop()
	}
	stop, err := clock.AfterFunc(clock.Now()+time.Hour, func() { t.Error("told after a stop") })
	if err != nil {
		t.Fatal(err)
	}
	stop()
	stop()
}
