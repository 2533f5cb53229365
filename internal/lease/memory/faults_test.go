package memory_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/memory"
)

var seeds = flag.Int("seeds", 6, "how many runs of random faults")

// Whatever is cut off, killed, frozen or ended too early, no place has two users at any instant, and afterwards all of
// them are given again.
func TestRandomFaults(t *testing.T) {
	base := rand.Uint64N(1 << 32)
	for i := range *seeds {
		seed := base + uint64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { randomFaults(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

// Fewer places than holders: they wait for each other.
var wanted = map[string]lease.Range{"leader": lease.Only(0), "ids": {First: 0, Last: 3}}

const holders, faults = 6, 40

func randomFaults(t *testing.T, r *rand.Rand) {
	s := server(t)
	o := &observer{t: t, server: s, uses: map[string]use{}}
	var people []*person
	for i := range holders {
		people = append(people, newPerson(t, o, fmt.Sprintf("p%d", i)))
	}
	for range faults {
		people = o.fault(t, r, people)
		pass(time.Duration(r.Int64N(int64(15 * time.Second))))
	}
	for _, p := range people {
		p.way.Join()
	}
	pass(2 * cooldown)
	o.mu.Lock()
	before := o.given
	o.mu.Unlock()
	pass(time.Minute)
	for _, p := range people {
		p.stop()
	}
	if given := o.given - before; given < 20 {
		t.Errorf("only %d places were given in the minute after all faults", given)
	}
	t.Logf("%d uses, %v", o.given, s.Counts())
}

// fault does one, and returns who is there afterwards.
func (o *observer) fault(t *testing.T, r *rand.Rand, people []*person) []*person {
	p := people[r.IntN(len(people))]
	switch r.IntN(5) {
	case 0: // cut off, for shorter or longer than a lease
		p.way.Cut()
		time.AfterFunc(time.Duration(r.Int64N(int64(40*time.Second))), p.way.Join)
	case 1: // nobody can reach the store
		for _, p := range people {
			p.way.Cut()
			time.AfterFunc(time.Duration(r.Int64N(int64(20*time.Second))), p.way.Join)
		}
	case 2: // the store ends a session too early
		if err := o.server.Client().Revoke(t.Context(), p.Session().ID); err != nil {
			t.Error(err)
		}
	case 3: // the process is frozen for good: what it started runs on, until something else ends it at the deadline
		o.freeze(p)
		people = slices.DeleteFunc(slices.Clone(people), func(x *person) bool { return x == p })
		people = append(people, newPerson(t, o, p.who+"'"))
	case 4: // requests are cut on their way back
		time.AfterFunc(time.Duration(r.Int64N(int64(5*time.Second))), p.way.Cut)
		time.AfterFunc(time.Duration(r.Int64N(int64(15*time.Second))), p.way.Join)
	}
	return people
}

// person is a holder that uses places all the time.
type person struct {
	*holder
	who    string
	frozen time.Duration // until when what it started runs on; 0 for one that is not
	cancel context.CancelFunc
	ends   sync.WaitGroup
}

func newPerson(t *testing.T, o *observer, who string) *person {
	ctx, cancel := context.WithCancel(t.Context())
	p := &person{holder: newHolder(t, o.server, who), who: who, cancel: cancel}
	for name, among := range wanted {
		p.ends.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				c, err := lease.Acquire(ctx, p, name, among, n%among.Len())
				switch {
				case err == nil:
					o.use(ctx, p, c, n)
				case errors.Is(err, lease.ErrClosed):
					return // it is frozen
				case ctx.Err() == nil:
					t.Errorf("%s: %v", who, err)
				}
			}
		})
	}
	t.Cleanup(p.stop)
	return p
}

func (p *person) stop() {
	p.cancel()
	p.ends.Wait()
}

// observer knows who uses what, independently of engines and store.
type observer struct {
	t      *testing.T
	server *memory.Server

	mu    sync.Mutex
	uses  map[string]use
	given int
}

type use struct {
	by    *person
	fence uint64
	until time.Duration // of one that is frozen; else it goes on
}

// use is one, until it has taken long enough or the claim is lost.
func (o *observer) use(ctx context.Context, p *person, c lease.Claim, n int) {
	place := fmt.Sprintf("%s %d", c.Name(), c.Place())
	o.mu.Lock()
	if x, used := o.uses[place]; used && (x.until == 0 || o.server.Clock().Now() < x.until) {
		o.t.Errorf("%s is used by %s (fence %d) and by %s (fence %d)", place, x.by.who, x.fence, p.who, c.Fence())
	} else if used && x.fence >= c.Fence() {
		o.t.Errorf("%s has fence %d after %d", place, c.Fence(), x.fence)
	}
	o.uses[place] = use{by: p, fence: c.Fence(), until: p.frozen}
	o.given++
	o.mu.Unlock()
	select {
	case <-time.After(time.Duration(n%7) * 1100 * time.Millisecond):
	case <-c.Lost():
	case <-ctx.Done():
	}
	o.mu.Lock()
	frozen := p.frozen != 0
	if x := o.uses[place]; x.by == p && !frozen {
		delete(o.uses, place)
	}
	o.mu.Unlock()
	lost := false
	select {
	case <-c.Lost():
		lost = true
	default:
	}
	// Some lose a place and never say that they have stopped using it. Of one that is cut off the engine goes on trying.
	if !frozen && (!lost || n%5 != 4) {
		_ = c.Release(ctx)
	}
}

// freeze ends a person without giving anything back: its uses go on until its deadline.
func (o *observer) freeze(p *person) {
	o.mu.Lock()
	p.frozen = max(p.Session().Deadline, 1)
	for place, x := range o.uses {
		if x.by == p {
			x.until = p.frozen
			o.uses[place] = x
		}
	}
	o.mu.Unlock()
	if err := p.Close(); err != nil {
		o.t.Error(err)
	}
	p.stop()
}
