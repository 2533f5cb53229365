package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// note remembers what is in the way of a connection. The client waits for one as long as it may, and then says only that
// the time is over.
func (s *store) note(err error) {
	trouble := ""
	if err != nil {
		const said = "desc = "
		text := status.Convert(err).Message()
		if at := strings.LastIndex(text, said); at >= 0 && strings.Contains(text, "connection error") {
			trouble = strings.Trim(text[at+len(said):], `"`)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = trouble
}

// explain says what an error of etcd means: that the session is gone, or that trying again may do.
func (s *store) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.trouble != "" {
			return fmt.Errorf("%w: %s", err, s.trouble)
		}
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
