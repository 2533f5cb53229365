package memory_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/memory"
	"github.com/broodctl/brood/internal/lease/remote"
)

// supervisors of the fleet. docs/scale.md has the figures of 1000 as well, which take ten times as long.
var supervisors = flag.Int("supervisors", 100, "how many a fleet has")

const workers = 16

// A fleet starts at once, rests, is cut in two for a minute, and rolls. The figures are those of docs/scale.md.
func TestFleet(t *testing.T) {
	var all []figure
	synctest.Test(t, func(t *testing.T) {
		n := *supervisors
		f := newFleet(t)
		f.size, f.turns = n, lease.Range{First: 0, Last: n/10 - 1}
		f.ids = lease.Range{First: 0, Last: n*workers*1024/1000 - 1} // some are free while workers are replaced: 0-16383 for 1000
		all = append(all,
			f.phase("start of all at once", f.start),
			f.phase("rest", func() { pass(time.Minute) }),
			f.phase("a tenth is cut off for a minute", f.partition),
			f.phase("rollout", f.roll),
		)
		f.stop()
	})
	compare(t, all)
}

type fleet struct {
	t       *testing.T
	server  *memory.Server
	members []*member
	size    int
	ids     lease.Range
	turns   lease.Range
	ctx     context.Context
	ends    context.CancelFunc
}

// member is a supervisor with a place for each of its workers.
type member struct {
	engine *remote.Engine
	way    *memory.Client
	began  chan struct{} // has one value when a session has begun
	held   [workers]lease.Claim
}

func newFleet(t *testing.T) *fleet {
	ctx, cancel := context.WithCancel(t.Context())
	return &fleet{t: t, server: server(t), ctx: ctx, ends: cancel}
}

// each does something for all supervisors at once.
func each(members []*member, do func(m *member)) {
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() { do(m) })
	}
	all.Wait()
}

func (f *fleet) start() {
	for i := range f.size {
		m := &member{way: f.server.Client(), began: make(chan struct{}, 1)}
		var err error
		m.engine, err = m.way.Engine(remote.Config{Who: fmt.Sprintf("host%d/web/1", i), Notify: func(n lease.Notice) {
			if n.Kind == lease.Began {
				select {
				case m.began <- struct{}{}:
				default:
				}
			}
		}})
		if err != nil {
			f.t.Fatal(err)
		}
		f.members = append(f.members, m)
	}
	each(f.members, func(m *member) {
		<-m.began
		var all sync.WaitGroup
		for i := range m.held {
			all.Go(func() { m.held[i] = f.claim(m) })
		}
		all.Wait()
	})
}

func (f *fleet) stop() {
	f.ends()
	each(f.members, func(m *member) {
		if err := m.engine.Close(); err != nil {
			f.t.Error(err)
		}
	})
}

func (f *fleet) claim(m *member) lease.Claim {
	c, err := lease.Acquire(f.ctx, m.engine, "web.ids", f.ids)
	if err != nil {
		f.t.Error(err)
	}
	return c
}

// partition cuts every tenth off, and joins them again. Their workers are stopped at the deadline; when a session has
// begun, their ids are given back and others claimed. It takes until all have theirs.
func (f *fleet) partition() {
	var cut []*member
	for i, m := range f.members {
		if i%10 == 0 {
			cut = append(cut, m)
			m.way.Cut()
		}
	}
	time.AfterFunc(time.Minute, func() {
		for _, m := range cut {
			m.way.Join()
		}
	})
	each(cut, func(m *member) {
		<-m.held[0].Lost()
		<-m.began
		for i, c := range m.held {
			if err := c.Release(f.ctx); err != nil {
				f.t.Error(err)
			}
			m.held[i] = f.claim(m)
		}
	})
}

// roll replaces all workers, a tenth of the supervisors at a time, each of which takes 30 to 60 seconds for its own and
// tells how far it is.
func (f *fleet) roll() {
	each(f.members, func(m *member) {
		turn, err := lease.Acquire(f.ctx, m.engine, "web.rollout", f.turns)
		if err != nil {
			f.t.Error(err)
			return
		}
		each := (30*time.Second + rand.N(30*time.Second)) / workers
		for i, c := range m.held {
			m.held[i] = f.claim(m)
			pass(each)
			if err := c.Release(f.ctx); err != nil {
				f.t.Error(err)
			}
			if err := turn.SetValue(f.ctx, fmt.Sprintf("generation 2, %d of %d", i+1, workers)); err != nil {
				f.t.Error(err)
			}
		}
		if err := turn.Release(f.ctx); err != nil {
			f.t.Error(err)
		}
	})
}
