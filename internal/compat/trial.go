package compat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

// trial is one server at its place.
type trial struct {
	*Runner
	server Server
	dir    string
}

func (t *trial) start(name string, workers string, flags, command []string) (*brood, error) {
	all := append([]string{"-n", workers, "-l", t.address(0), "--settle", t.Settle.String()}, flags...)
	return start(t.Brood, t.dir, name, fill(slices.Concat(all, t.server.Flags), t.port(0), t.dir), fill(command, t.port(0), t.dir))
}

// notify starts a worker that counts as ready by READY=1 alone.
func (t *trial) notify(_ context.Context, result *Result) error {
	b, err := t.start("notify", "1", []string{"--ready", "notify"}, t.server.Command)
	if err != nil {
		return err
	}
	_, err = b.await(t.Unasked, pool.whole)
	result.Notifies = err == nil
	if errors.Is(err, errPatience) {
		err = nil
	}
	return errors.Join(err, b.abandon())
}

// pid starts a worker for which LISTEN_PID names another process, and sees whether it serves our socket all the same.
func (t *trial) pid(ctx context.Context, result *Result) error {
	// With its backoff it does not come back in this trial, if it ends.
	b, err := t.start("pid", "1", []string{"--backoff", "1h", "--max-backoff", "1h"}, append([]string{"env", "LISTEN_PID=1"}, t.server.Command...))
	if err != nil {
		return err
	}
	_, err = b.await(patience, func(p pool) bool { return len(p.Workers) == 1 }) // its socket is there then
	if err == nil {
		var answers loadgen.Result
		answers, err = loadgen.Run(ctx, loadgen.Config{Address: t.address(0), Requests: 1, Timeout: t.Unasked})
		result.ChecksPID = answers.OK() == 0
	}
	return errors.Join(err, b.abandon())
}

// serve is what a user has: workers under load, reloaded, rolled and killed.
func (t *trial) serve(ctx context.Context, result *Result) error {
	// Each slot dies several times within seconds, which is no crash loop.
	b, err := t.start("serve", strconv.Itoa(t.Workers), []string{"--max-surge", "2", "--backoff", "10ms", "--max-backoff", "50ms"}, t.server.Command)
	if err != nil {
		return err
	}
	_, err = b.await(patience, pool.whole)
	if err == nil {
		err = errors.Join(t.reload(ctx, b, &result.Reload), t.roll(ctx, b, &result.Rollouts), t.kill(ctx, b, &result.Kills))
	}
	ends, stopErr := b.stop()
	result.Exit, result.Late = ends.usual, ends.late
	return errors.Join(err, stopErr)
}

// traffic is two loads: one with a connection per request, one with kept ones.
type traffic [2]*loadgen.Load

func (t *trial) traffic(ctx context.Context) (all traffic, err error) {
	for i, cfg := range []loadgen.Config{
		{Clients: 8, Think: 2 * time.Millisecond},
		{Clients: 4, Think: 5 * time.Millisecond, Reuse: loadgen.KeepAlive},
	} {
		cfg.Address, cfg.Duration, cfg.Timeout = t.address(0), 10*time.Minute, patience/2
		all[i], err = loadgen.Start(ctx, cfg)
		if err != nil {
			return all, fmt.Errorf("cannot load: %w", err)
		}
	}
	return all, nil
}

// await waits for more answers on either kind of connection.
func (tr traffic) await(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, load := range tr {
		if err := load.Await(ctx, n); err != nil {
			return fmt.Errorf("cannot await answers: %w", err)
		}
	}
	return nil
}

// stop ends both and adds up what they met.
func (tr traffic) stop(c *Count) {
	for _, load := range tr {
		result := load.Stop()
		c.Requests += result.Requests()
		c.Failed += result.Failed()
		c.Closed += result.Count(loadgen.Reused)
	}
}
