package compat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

const workersOfOwn = 2

// TryOwn runs two workers of a stranger, each on a port of its own.
func (r *Runner) TryOwn(ctx context.Context, s Stranger) (own Own, err error) {
	dir, err := r.place()
	defer os.RemoveAll(dir)
	if err != nil {
		return own, err
	}
	own = Own{Name: s.Name}
	if own.Version, err = version(s.Probe); err != nil {
		return own, err
	}
	if own.Took, err = r.offer(ctx, s, dir); err != nil {
		return own, fmt.Errorf("cannot offer %s a socket: %w", s.Name, err)
	}
	b, err := r.startOwn(s, dir, "2", r.address(0)+",mode=per-slot")
	if err != nil {
		return own, err
	}
	if _, err = b.await(patience, pool.whole); err == nil {
		own.Answered, err = r.askAll(ctx)
	}
	ends, stopErr := b.stop()
	own.Exit = ends.usual
	if err := errors.Join(err, stopErr); err != nil {
		return own, fmt.Errorf("cannot try %s: %w", s.Name, err)
	}
	return own, nil
}

func (r *Runner) startOwn(s Stranger, dir, workers, listen string) (*brood, error) {
	flags := []string{"-n", workers, "-l", listen, "--settle", r.Settle.String()}
	return start(r.Brood, dir, "own"+workers, fill(append(flags, s.Flags...), r.port(0), dir), fill(s.Command, r.port(0), dir))
}

// offer starts it with a socket to inherit, and tells whether it answers on that.
func (r *Runner) offer(ctx context.Context, s Stranger, dir string) (took bool, err error) {
	b, err := r.startOwn(s, dir, "1", r.address(0))
	if err != nil {
		return false, err
	}
	_, err = b.await(patience, func(p pool) bool { return len(p.Workers) == 1 })
	if err == nil {
		var answers loadgen.Result
		answers, err = loadgen.Run(ctx, loadgen.Config{Address: r.address(0), Requests: 1, Timeout: r.Unasked})
		took = answers.OK() > 0
	}
	return took, errors.Join(err, b.abandon())
}

// askAll counts the ports that answer.
func (r *Runner) askAll(ctx context.Context) (answered int, err error) {
	for n := range workersOfOwn {
		result, err := loadgen.Run(ctx, loadgen.Config{Address: r.address(n), Requests: 10, Timeout: 10 * time.Second})
		if err != nil {
			return answered, err
		}
		if result.Failed() == 0 {
			answered++
		}
	}
	return answered, nil
}
