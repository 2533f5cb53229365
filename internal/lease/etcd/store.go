package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// store is a [remote.Store].
type store struct {
	cfg  Config
	conn *clientv3.Client

	ctx     context.Context // ends with the store
	end     context.CancelFunc
	running sync.WaitGroup
	renews  chan *renewals // has one value, for one question at a time

	mu    sync.Mutex
	token string
	login *login // that goes on
}

var _ remote.Store = (*store)(nil)

// New is an engine over etcd.
func New(cfg Config) (*remote.Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	s := &store{cfg: cfg, ctx: ctx, end: end, renews: make(chan *renewals, 1)}
	s.renews <- nil
	if cfg.User != "" {
		client.DialOptions = s.credentials()
	}
	if s.conn, err = clientv3.New(client); err != nil {
		end()
		return nil, fmt.Errorf("cannot make a client for %v: %w", s, err)
	}
	return remote.New(s, cfg.Engine)
}

func (s *store) String() string { return "etcd at " + strings.Join(s.cfg.Endpoints, ", ") }

// Grant makes a lease of etcd, whose time is whole seconds.
func (s *store) Grant(ctx context.Context, ttl time.Duration) (lease.SessionID, error) {
	r, err := s.conn.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
	if err != nil {
		return 0, explain(err)
	}
	return lease.SessionID(r.ID), nil
}

// Revoke ends it.
func (s *store) Revoke(ctx context.Context, id lease.SessionID) error {
	_, err := s.conn.Revoke(ctx, clientv3.LeaseID(id))
	return explain(err)
}

// explain says what an error of etcd means: that the session is gone, or that trying again may do.
func explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	err = rpctypes.Error(err)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return remote.ErrGone
	}
	code := status.Code(err)
	if known := (rpctypes.EtcdError{}); errors.As(err, &known) {
		code = known.Code()
	}
	switch code { //nolint:exhaustive // all others are mistakes that stay
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted, codes.Canceled, codes.Unauthenticated,
		codes.Unknown, codes.Internal: // a member in trouble: its own deadlines arrive as unknown
		return fmt.Errorf("%w: %w", lease.ErrUnavailable, err)
	}
	return err
}

// Close ends the connection, and waits for the watches.
func (s *store) Close() error {
	s.end()
	s.hangUp()
	s.running.Wait()
	if err := s.conn.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cannot end the connection to %v: %w", s, err)
	}
	return nil
}
