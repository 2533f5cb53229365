package supervisor

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
)

// sighting is a worker that is to be seen waiting on one of its sockets.
type sighting struct {
	pool   *pool
	ref    machine.Ref
	pid    int
	inodes []uint64
	ports  []int
	since  time.Time
}

type sightingKey struct {
	pool *pool
	ref  machine.Ref
}

// observer looks into /proc for the workers that are starting, and only for those: the kernel has no event for
// epoll_ctl(2) or accept(2). It spends at most a fifth of one core on it, and sleeps when nobody starts.
type observer struct {
	world World
	mail  *mailbox

	mu     sync.Mutex
	cond   *sync.Cond
	byKey  map[sightingKey]sighting
	closed bool
	quit   chan struct{} // closed with closed
	done   chan struct{}
}

const (
	firstLook = 2 * time.Millisecond  // a small Go program listens after 5 ms
	slowLook  = 50 * time.Millisecond // and a large one is not held up by this
)

func newObserver(world World, mail *mailbox) *observer {
	o := &observer{world: world, mail: mail, byKey: map[sightingKey]sighting{}, quit: make(chan struct{}), done: make(chan struct{})}
	o.cond = sync.NewCond(&o.mu)
	go o.run()
	return o
}

func (o *observer) watch(s sighting) {
	s.since = time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byKey[sightingKey{s.pool, s.ref}] = s
	o.cond.Signal()
}

func (o *observer) forget(ref machine.Ref, p *pool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.byKey, sightingKey{p, ref})
}

func (o *observer) close() {
	o.mu.Lock()
	o.closed = true
	close(o.quit)
	o.cond.Signal()
	o.mu.Unlock()
	<-o.done
}

func (o *observer) run() {
	defer close(o.done)
	for {
		targets := o.targets()
		if targets == nil {
			return
		}
		begin := time.Now()
		youngest := begin.Sub(targets[0].since)
		for _, t := range targets {
			youngest = min(youngest, begin.Sub(t.since))
			switch is, err := o.look(t); {
			case is:
				o.forget(t.ref, t.pool)
				o.mail.post(proven{pool: t.pool, ref: t.ref, gate: atProof, how: "seen"})
			case errors.Is(err, fs.ErrPermission) && begin.Sub(t.since) >= aliveFor:
				// It will never be seen: it runs as somebody whose descriptors we may not read.
				o.forget(t.ref, t.pool)
				o.mail.post(proven{pool: t.pool, ref: t.ref, gate: atProof, how: howAssumed})
			}
		}
		pause := min(max(youngest/8, firstLook), slowLook)
		o.pause(max(pause, 4*time.Since(begin)))
	}
}

// pause waits until it is worth to look again, or until the end.
func (o *observer) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-o.quit:
	}
}

// targets waits until there is somebody to look for; nil ends the search.
func (o *observer) targets() []sighting {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.byKey) == 0 && !o.closed {
		o.cond.Wait()
	}
	if o.closed {
		return nil
	}
	all := make([]sighting, 0, len(o.byKey))
	for _, s := range o.byKey {
		all = append(all, s)
	}
	return all
}

// look looks once. What cannot be read now may be readable next time, or the worker is dead, which others notice; but
// what is forbidden stays so.
func (o *observer) look(t sighting) (bool, error) {
	var errs []error
	if len(t.inodes) > 0 {
		ok, err := o.world.Serving(t.pid, t.inodes)
		if ok && err == nil {
			return true, nil
		}
		errs = append(errs, err)
	}
	for _, port := range t.ports {
		ok, err := o.world.ServingPort(t.pid, port)
		if ok && err == nil {
			return true, nil
		}
		errs = append(errs, err)
	}
	return false, errors.Join(errs...)
}
