package loadgen

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load is a running load.
type Load struct {
	cfg     Config
	start   time.Time
	stop    chan struct{}
	stopped sync.Once
	done    chan struct{} // closed when every goroutine has ended
	left    atomic.Int64  // requests not yet claimed, when bounded in count

	mu      sync.Mutex
	result  Result
	waiters map[chan struct{}]int // closed when so many more good responses have come
}

// Run sends a load and waits for its end. When ctx ends, requests under way are
// dropped and counted as Aborted.
func Run(ctx context.Context, cfg Config) (Result, error) {
	load, err := Start(ctx, cfg)
	if err != nil {
		return Result{}, err
	}
	return load.Wait(), nil
}

// Start begins a load, which ends by itself, by Stop, or with ctx. The caller
// must call Wait or Stop.
func Start(ctx context.Context, cfg Config) (*Load, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Load{
		cfg: cfg, start: time.Now(), stop: make(chan struct{}), done: make(chan struct{}),
		result:  Result{Statuses: make(map[int]int), Workers: make(map[Worker]int)},
		waiters: make(map[chan struct{}]int),
	}
	l.left.Store(int64(cfg.Requests))

	var group sync.WaitGroup
	if cfg.Rate > 0 {
		due := make(chan time.Time, 4*cfg.Clients)
		group.Go(func() { l.schedule(ctx, due) })
		for range cfg.Clients {
			group.Go(func() { l.openLoop(ctx, due) })
		}
	} else {
		for range cfg.Clients {
			group.Go(func() { l.closedLoop(ctx) })
		}
	}
	go l.end(ctx, &group) // Wait waits for it
	return l, nil
}

// end closes the load when its time is over and announces its end.
func (l *Load) end(ctx context.Context, group *sync.WaitGroup) {
	finished := make(chan struct{})
	go func() { group.Wait(); close(finished) }() // ends with the group, which end waits for
	var timeUp <-chan time.Time
	if l.cfg.Duration > 0 {
		timer := time.NewTimer(l.cfg.Duration)
		defer timer.Stop()
		timeUp = timer.C
	}
	select {
	case <-timeUp:
	case <-ctx.Done():
	case <-finished:
	}
	l.halt()
	<-finished
	l.mu.Lock()
	l.result.Elapsed = time.Since(l.start)
	l.mu.Unlock()
	close(l.done)
}

// Wait waits for the end and gives the result.
func (l *Load) Wait() Result {
	<-l.done
	return l.Snapshot()
}

// Stop lets requests under way finish, sends no more, and gives the result.
func (l *Load) Stop() Result {
	l.halt()
	return l.Wait()
}

func (l *Load) halt() { l.stopped.Do(func() { close(l.stop) }) }

// Snapshot gives the result so far.
func (l *Load) Snapshot() Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.result
	r.Statuses = maps.Clone(r.Statuses)
	r.Workers = maps.Clone(r.Workers)
	r.Samples = slices.Clone(r.Samples)
	if r.Elapsed == 0 {
		r.Elapsed = time.Since(l.start)
	}
	return r
}

// Await waits until n more good responses have come: a fact to wait for in
// place of a pause. It gives the error of ctx, or ErrEnded when the load ended
// before that.
func (l *Load) Await(ctx context.Context, n int) error {
	reached := make(chan struct{})
	l.mu.Lock()
	l.waiters[reached] = n
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiters, reached)
		l.mu.Unlock()
	}()
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		return ErrEnded
	}
}

// record counts one verdict.
func (l *Load) record(a answer, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &l.result
	r.Counts[a.outcome]++
	if a.status != 0 {
		r.Statuses[a.status]++
		r.Latency.add(took)
	}
	if a.outcome.Failed() {
		r.LastFailed = time.Since(l.start)
		if len(r.Samples) < l.cfg.Samples {
			r.Samples = append(r.Samples, Sample{After: r.LastFailed, Outcome: a.outcome, Local: a.local, Err: a.err})
		}
	}
	if a.outcome != OK {
		return
	}
	r.Workers[a.worker]++
	for reached, n := range l.waiters {
		if n > 1 {
			l.waiters[reached] = n - 1
			continue
		}
		delete(l.waiters, reached)
		close(reached)
	}
}
