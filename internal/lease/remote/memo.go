package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/broodctl/brood/internal/lease"
)

// Memo asks the store. It needs no session.
func (e *Engine) Memo(ctx context.Context, name string) (lease.Memo, error) {
	m, _, err := e.memo(ctx, name)
	if err != nil {
		return m, fmt.Errorf("cannot read the memo %s: %w", name, err)
	}
	return m, nil
}

func (e *Engine) memo(ctx context.Context, name string) (m lease.Memo, at uint64, err error) {
	if err := lease.CheckMemo(name, ""); err != nil {
		return m, 0, err
	}
	ctx, cancel := e.request(ctx)
	defer cancel()
	if m, at, err = e.store.Memo(ctx, name); err != nil {
		return lease.Memo{}, 0, e.explain(ctx, err)
	}
	return m, at, nil
}

// SetMemo writes to the store.
func (e *Engine) SetMemo(ctx context.Context, name, text string, since uint64) (lease.Memo, error) {
	m := lease.Memo{Text: text}
	err := lease.CheckMemo(name, text)
	if err == nil {
		m.Revision, err = e.setMemo(ctx, name, text, since)
	}
	if err != nil {
		return lease.Memo{}, fmt.Errorf("cannot write the memo %s: %w", name, err)
	}
	return m, nil
}

func (e *Engine) setMemo(ctx context.Context, name, text string, since uint64) (uint64, error) {
	ctx, cancel := e.request(ctx)
	defer cancel()
	revision, ok, err := e.store.SetMemo(ctx, name, text, since)
	switch {
	case err != nil:
		return 0, e.explain(ctx, err)
	case !ok:
		return 0, lease.ErrChanged
	}
	return revision, nil
}

// AwaitMemo follows what changes, and reads it. A watch that ends again and again is begun later and later: it tells all
// the same what has changed in between.
func (e *Engine) AwaitMemo(ctx context.Context, name string, since uint64) (lease.Memo, error) {
	cannot := func(err error) (lease.Memo, error) {
		return lease.Memo{}, fmt.Errorf("cannot wait for the memo %s: %w", name, err)
	}
	for failures := 0; ; failures++ {
		m, at, err := e.memo(ctx, name)
		switch {
		case err == nil && m.Revision != since:
			return m, nil
		case err != nil && !errors.Is(err, lease.ErrUnavailable):
			return cannot(err)
		}
		if failures > 0 {
			if err := e.pause(ctx, e.backoff(failures)); err != nil {
				return cannot(err)
			}
		}
		if err == nil {
			e.awaitChange(ctx, name, at)
			failures = min(failures, 3) // it may have served for days
		}
	}
}

func (e *Engine) awaitChange(ctx context.Context, name string, after uint64) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-e.store.MemoChanged(ctx, name, after):
	case <-ctx.Done():
	case <-e.ctx.Done():
	}
}
