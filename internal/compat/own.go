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
	flags := fill(append([]string{"-n", "2", "-l", r.address(0) + ",mode=per-slot", "--settle", r.Settle.String()}, s.Flags...), r.port(0), dir)
	b, err := start(r.Brood, dir, "own", flags, fill(s.Command, r.port(0), dir))
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
