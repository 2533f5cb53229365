package compat

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// between is how many answers lie between two reloads or kills, so that all workers have some.
const between = 50

// roll replaces all workers again and again.
func (t *trial) roll(ctx context.Context, b *brood, c *Count) error {
	return t.loaded(ctx, c, func(traffic) error {
		_, err := b.verb("roll", "--wait")
		return err
	})
}

// reload asks for a reload. If brood replaces the workers instead of relaying a signal, once is enough to know.
func (t *trial) reload(ctx context.Context, b *brood, r *Reload) error {
	before, processes, err := b.steady()
	if err != nil {
		return err
	}
	if err := b.reload(ctx); err != nil {
		return err
	}
	after, err := b.await(patience, pool.whole)
	if err != nil || !maps.Equal(before.pids(), after.pids()) {
		return err
	}
	r.Signal = "HUP"
	if i := slices.Index(t.server.Flags, "--reload-signal"); i >= 0 {
		r.Signal = t.server.Flags[i+1]
	}
	err = t.loaded(ctx, &r.Count, func(tr traffic) error {
		if err := errors.Join(b.reload(ctx), tr.await(ctx, between)); err != nil {
			return err
		}
		// Processes that were replaced by others may take their time to leave, and what they lose belongs to this reload.
		_, err := b.await(patience, func(p pool) bool { return p.whole() && p.processes() == processes })
		return err
	})
	if err != nil {
		return err
	}
	after, err = b.await(patience, pool.whole)
	r.Died = after.Restarts - before.Restarts
	return err
}

// steady waits until all workers have the processes that they have while they serve: some say that they are ready before
// they have started any. It gives their number.
func (b *brood) steady() (p pool, processes int, err error) {
	const looks = 10
	same := 0
	p, err = b.await(patience, func(now pool) bool {
		n := now.processes()
		if n != processes || !now.whole() {
			processes, same = n, 0
		}
		same++
		return same >= looks
	})
	return p, processes, err
}

// reload asks until brood does it: a server that starts, or executes itself anew, has no handler for a moment, and brood
// refuses to send what would kill it then.
func (b *brood) reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience/4)
	defer cancel()
	again := time.NewTicker(10 * lookEvery)
	defer again.Stop()
	for {
		_, err := b.verb("reload")
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// loaded does something under load, as often as the runner says.
func (t *trial) loaded(ctx context.Context, c *Count, do func(traffic) error) error {
	tr, err := t.traffic(ctx)
	if err != nil {
		return err
	}
	err = tr.await(ctx, between)
	for range t.Times {
		if err != nil {
			break
		}
		err = do(tr)
		c.Times++
	}
	if err == nil {
		err = tr.await(ctx, between)
	}
	tr.stop(c)
	return err
}
