package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

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

	mu      sync.Mutex
	token   string
	login   *login // that goes on
	trouble string // what was last in the way of a connection
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
	client.DialOptions = s.options()
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
		return 0, s.explain(err)
	}
	return lease.SessionID(r.ID), nil
}

// Revoke ends it.
func (s *store) Revoke(ctx context.Context, id lease.SessionID) error {
	_, err := s.conn.Revoke(ctx, clientv3.LeaseID(id))
	return s.explain(err)
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
