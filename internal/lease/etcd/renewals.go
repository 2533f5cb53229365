package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// renewals is a stream on which one question is open at a time. The client's own KeepAlive does not say when it sent
// what was confirmed, and our deadline counts from then.
type renewals struct {
	stream pb.Lease_LeaseKeepAliveClient
	cancel context.CancelFunc
}

// KeepAlive asks on the stream, or on a new one where the last question had no answer.
func (s *store) KeepAlive(ctx context.Context, id lease.SessionID) error {
	var r *renewals
	select {
	case r = <-s.renews:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.renews <- r }()
	gone := false
	err := s.known(ctx, func() (err error) {
		if r == nil {
			if r, err = s.open(ctx); err != nil {
				return err
			}
		}
		if gone, err = r.ask(ctx, id); err != nil {
			r.cancel()
			r = nil
		}
		return err
	})
	if err == nil && gone {
		err = remote.ErrGone
	}
	return s.explain(err)
}

func (s *store) open(ctx context.Context) (*renewals, error) {
	streaming, cancel := context.WithCancel(clientv3.WithRequireLeader(s.ctx))
	defer context.AfterFunc(ctx, cancel)()
	stream, err := clientv3.RetryLeaseClient(s.conn).LeaseKeepAlive(streaming)
	if err != nil {
		cancel()
		return nil, within(ctx, err)
	}
	return &renewals{stream: stream, cancel: cancel}, nil
}

// ask says whether the session has ended. Without an answer the stream is of no use any more.
func (r *renewals) ask(ctx context.Context, id lease.SessionID) (gone bool, err error) {
	defer context.AfterFunc(ctx, r.cancel)()
	if err := r.stream.Send(&pb.LeaseKeepAliveRequest{ID: int64(id)}); err != nil && !errors.Is(err, io.EOF) {
		return false, within(ctx, err) // of an end of the stream the answer tells the reason
	}
	answer, err := r.stream.Recv()
	switch {
	case err != nil:
		return false, within(ctx, err)
	case answer.ID != int64(id):
		return false, fmt.Errorf("an answer for the session %x, not %x", answer.ID, id)
	}
	return answer.TTL <= 0, nil
}

// within says that the context ended rather than what that did to the stream.
func within(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// hangUp ends the stream for good.
func (s *store) hangUp() {
	if r := <-s.renews; r != nil {
		r.cancel()
	}
	s.renews <- nil
}
