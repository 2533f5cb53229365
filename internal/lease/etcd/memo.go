package etcd

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/broodctl/brood/internal/lease"
)

func (s *store) memoKey(name string) string { return s.cfg.Prefix + "/" + name + "/memo" }

// Memo reads a key.
func (s *store) Memo(ctx context.Context, name string) (lease.Memo, uint64, error) {
	r, err := s.conn.Get(ctx, s.memoKey(name))
	if err != nil {
		return lease.Memo{}, 0, s.explain(err)
	}
	var m lease.Memo
	for _, kv := range r.Kvs {
		m = lease.Memo{Text: string(kv.Value), Revision: uint64(kv.ModRevision)}
	}
	return m, uint64(r.Header.Revision), nil
}

// SetMemo writes it. Of a key that is not there the revision is 0 to etcd too.
func (s *store) SetMemo(ctx context.Context, name, text string, since uint64) (uint64, bool, error) {
	key := s.memoKey(name)
	r, err := s.conn.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", int64(since))).
		Then(clientv3.OpPut(key, text)).
		Commit()
	if err != nil {
		return 0, false, s.explain(err)
	}
	return uint64(r.Header.Revision), r.Succeeded, nil
}

// MemoChanged watches it. What interrupts that is as with places.
func (s *store) MemoChanged(ctx context.Context, name string, after uint64) <-chan struct{} {
	changed := make(chan struct{})
	s.running.Go(func() {
		defer close(changed)
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		for news := range s.conn.Watch(ctx, s.memoKey(name), clientv3.WithRev(int64(after)+1)) {
			if news.Err() != nil || len(news.Events) > 0 {
				return
			}
		}
	})
	return changed
}
