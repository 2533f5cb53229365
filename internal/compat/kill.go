package compat

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

// kill kills workers under load: by turns the leading process alone, as somebody would by hand, and with all that it
// started, as the kernel does that is out of memory. Each request has its own connection, so that
// it is known who had it; there are enough clients that some always wait in a queue.
func (t *trial) kill(ctx context.Context, b *brood, k *Kills) error {
	load, err := loadgen.Start(ctx, loadgen.Config{
		Address: t.address(0), Clients: 16, Duration: 10 * time.Minute, Timeout: patience / 2, Samples: 1 << 16,
	})
	if err != nil {
		return fmt.Errorf("cannot load: %w", err)
	}
	seen := 0
	for n := range t.Times {
		held, err := t.killOne(ctx, b, load, n)
		if err != nil {
			load.Stop()
			return err
		}
		k.Times++
		samples := load.Snapshot().Samples
		for _, failure := range samples[seen:] {
			if held[failure.Local] {
				k.Held++
			}
		}
		seen = len(samples)
	}
	result := load.Stop()
	k.Requests, k.Failed = result.Requests(), result.Failed()
	return nil
}

// killOne kills a worker, waits until it is replaced, and gives the connections that it and those with it had.
func (t *trial) killOne(ctx context.Context, b *brood, load *loadgen.Load, n int) (held map[string]bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := load.Await(ctx, between); err != nil {
		return nil, fmt.Errorf("cannot await answers: %w", err)
	}
	before, err := b.await(patience, pool.whole)
	if err != nil {
		return nil, err
	}
	leader := before.Workers[n%len(before.Workers)].PID
	all := group(leader)
	// Stopped, they accept nothing between the look at what they have and their end.
	for _, pid := range all {
		if err := freeze(ctx, pid); err != nil {
			return nil, err
		}
	}
	held = connections(all, t.Port)
	for _, pid := range all {
		sig := syscall.SIGKILL
		if n%2 == 0 && pid != leader {
			sig = syscall.SIGCONT
		}
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return nil, fmt.Errorf("cannot send %s to %d: %w", sig, pid, err)
		}
	}
	_, err = b.await(patience, func(p pool) bool { return p.whole() && p.Restarts > before.Restarts })
	return held, errors.Join(err, load.Await(ctx, between))
}
