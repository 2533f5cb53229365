package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/etcd"
	"github.com/broodctl/brood/internal/lease/remote"
)

// holderVariable makes the test binary a holder: its name and the endpoints.
const holderVariable = "BROOD_TEST_HOLDER"

func TestMain(m *testing.M) {
	if who, endpoints, ok := strings.Cut(os.Getenv(holderVariable), " "); ok {
		os.Exit(hold(who, strings.Split(endpoints, ",")))
	}
	goleak.VerifyTestMain(m)
}

// What holders want, and cannot have all of them at once.
var wanted = map[string]lease.Range{"leader": lease.Only(0), "ids": {First: 0, Last: 3}}

const holderLease = time.Second

// hold is a process that uses places, and says so before and after on its standard output, until that is closed:
//
//	until DEADLINE             by when its uses have ended, unless it says another time
//	begin NAME PLACE FENCE AT
//	end NAME PLACE AT
func hold(who string, endpoints []string) int {
	var mu sync.Mutex
	ctx, cancel := context.WithCancel(context.Background())
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := fmt.Fprintf(os.Stdout, format+"\n", args...); err != nil {
			cancel()
		}
	}
	clock := remote.Boottime{}
	engine, err := etcd.New(etcd.Config{Endpoints: endpoints, Engine: remote.Config{
		Who: who, Lease: holderLease, Request: 400 * time.Millisecond,
		Notify: func(n lease.Notice) {
			if n.Kind != lease.Lost {
				say("until %d", n.Session.Deadline)
			}
		},
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var users sync.WaitGroup
	for name, among := range wanted {
		users.Go(func() {
			for ctx.Err() == nil {
				c, err := lease.Acquire(ctx, engine, name, among)
				if err != nil {
					fmt.Fprintln(os.Stderr, who, err)
					continue
				}
				say("begin %s %d %d %d", name, c.Place(), c.Fence(), clock.Now())
				select {
				case <-c.Lost():
				case <-time.After(useTime()):
				case <-ctx.Done():
				}
				say("end %s %d %d", name, c.Place(), clock.Now())
				// Some lose a place and never say that they have stopped using it.
				if lost := gone(c); !lost || rand.N(2) == 0 {
					if err := c.Release(ctx); err != nil && !errors.Is(err, lease.ErrUnavailable) {
						fmt.Fprintln(os.Stderr, who, err)
					}
				}
			}
		})
	}
	users.Wait()
	return 0
}

// useTime is short most of the time, so that places go round, and now and then longer than a lease and the cooldown, so
// that who uses a place for too long is seen.
func useTime() time.Duration {
	if rand.N(4) == 0 {
		return rand.N(4 * holderLease)
	}
	return 20*time.Millisecond + rand.N(200*time.Millisecond)
}

func gone(c lease.Claim) bool {
	select {
	case <-c.Lost():
		return true
	default:
		return false
	}
}
