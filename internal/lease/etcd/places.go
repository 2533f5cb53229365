package etcd

import (
	"context"
	"encoding/json"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// Take writes mark and life, or reads them.
func (s *store) Take(ctx context.Context, name string, expect uint64, e remote.Entry) (remote.Entry, bool, error) {
	who, err := json.Marshal(holder{Who: e.Who, Session: e.Session})
	if err != nil {
		return e, false, err
	}
	key := s.key(name, e.Place)
	r, err := s.conn.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key+mark), "=", int64(expect)), clientv3.Compare(clientv3.CreateRevision(key+live), "=", 0)).
		Then(clientv3.OpPut(key+mark, string(who)), clientv3.OpPut(key+live, "", clientv3.WithLease(clientv3.LeaseID(e.Session)))).
		Else(clientv3.OpGet(key+mark), clientv3.OpGet(key+live)).
		Commit()
	if err != nil {
		return e, false, s.explain(err)
	}
	if r.Succeeded {
		e.Fence, e.Alive = uint64(r.Header.Revision), true
		return e, true, nil
	}
	there := remote.Entry{Place: e.Place}
	for i, end := range []string{mark, live} {
		for _, kv := range r.Responses[i].GetResponseRange().Kvs {
			read(&there, end, kv)
		}
	}
	return there, false, nil
}

// Note writes the value of a place that is still held.
func (s *store) Note(ctx context.Context, name string, e remote.Entry) (bool, error) {
	key, fence := s.key(name, e.Place), int64(e.Fence)
	r, err := s.conn.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key+mark), "=", fence), clientv3.Compare(clientv3.CreateRevision(key+live), "=", fence)).
		Then(clientv3.OpPut(key+live, e.Value, clientv3.WithIgnoreLease())).
		Commit()
	if err != nil {
		return false, s.explain(err)
	}
	return r.Succeeded, nil
}

// Drop deletes the mark first, so that who watches knows that the end of the life is no loss.
func (s *store) Drop(ctx context.Context, name string, place int, fence uint64) error {
	key := s.key(name, place)
	_, err := s.conn.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key+mark), "=", int64(fence))).
		Then(clientv3.OpDelete(key+mark), clientv3.OpDelete(key+live)).
		Commit()
	return s.explain(err)
}

// Look reads a range.
func (s *store) Look(ctx context.Context, name string, among lease.Range) ([]remote.Entry, uint64, error) {
	from, to := s.span(name, among)
	r, err := s.conn.Get(ctx, from, clientv3.WithRange(to))
	if err != nil {
		return nil, 0, s.explain(err)
	}
	var entries []remote.Entry
	for _, kv := range r.Kvs {
		entries = add(entries, kv)
	}
	return entries, uint64(r.Header.Revision), nil
}

// Watch hands on what etcd tells, until it is interrupted: by its end, by a revision that is not kept any more, by a
// member that has lost its leader, by a token that has expired: the look before it has asked for another one.
func (s *store) Watch(ctx context.Context, name string, among lease.Range, after uint64) <-chan remote.Change {
	changes := make(chan remote.Change)
	s.running.Go(func() {
		defer close(changes)
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		from, to := s.span(name, among)
		for news := range s.conn.Watch(ctx, from, clientv3.WithRange(to), clientv3.WithRev(int64(after)+1)) {
			if news.Err() != nil {
				return
			}
			for _, event := range news.Events {
				change, relevant := told(event)
				if !relevant {
					continue
				}
				select {
				case changes <- change:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	return changes
}

func told(event *clientv3.Event) (remote.Change, bool) {
	number, end, ok := place(event.Kv.Key)
	change := remote.Change{Place: number}
	switch {
	case !ok:
		return change, false
	case event.Type == clientv3.EventTypeDelete && end == mark:
		change.Kind = remote.Freed
	case event.Type == clientv3.EventTypeDelete && end == live:
		change.Kind = remote.Orphaned
	case event.Type == clientv3.EventTypePut && end == mark:
		change.Kind, change.Fence = remote.Taken, uint64(event.Kv.ModRevision)
	default:
		return change, false
	}
	return change, true
}
