package etcd

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
)

// loginPatience is how long a login may take: etcd makes checking a password slow on purpose, and a fleet that begins
// at once has to queue.
const loginPatience = 15 * time.Second

// login is a request for a token. It goes on when the call that began it has given up.
//
// The client can do this by itself, and we do not let it: it shows the expired token when it asks for another one, which
// servers before 3.5 refuse for just that reason, so that it asks without end.
type login struct {
	done chan struct{} // closed at its end
	err  error
}

// anonymous marks the context of a call that shows no token.
type anonymous struct{}

// GetRequestMetadata makes the store the credentials of its connection.
func (s *store) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" || ctx.Value(anonymous{}) != nil {
		return nil, nil
	}
	return map[string]string{rpctypes.TokenFieldNameGRPC: s.token}, nil
}

// RequireTransportSecurity leaves it to the user whether a password goes over an open network.
func (s *store) RequireTransportSecurity() bool { return false }

// options make the client show our token, and us hear of it when it is refused, and of what is in the way to etcd.
func (s *store) options() []grpc.DialOption {
	ask := func(ctx context.Context, method string, question, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, how ...grpc.CallOption) error {
		return s.known(ctx, func() error {
			err := invoke(ctx, method, question, answer, conn, how...)
			s.note(err)
			return err
		})
	}
	all := []grpc.DialOption{grpc.WithChainUnaryInterceptor(ask)}
	if s.cfg.User != "" {
		all = append(all, grpc.WithPerRPCCredentials(s))
	}
	return all
}

// known does something with a token that is good.
func (s *store) known(ctx context.Context, do func() error) error {
	if s.cfg.User == "" || ctx.Value(anonymous{}) != nil {
		return do()
	}
	s.mu.Lock()
	token := s.token
	s.mu.Unlock()
	if token != "" {
		if err := do(); !refused(err) {
			return err
		}
	}
	if err := s.logIn(ctx, token); err != nil {
		return err
	}
	return do()
}

// refused says whether it was the token that was wrong.
func refused(err error) bool {
	err = rpctypes.Error(err)
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrUserEmpty) || errors.Is(err, rpctypes.ErrAuthOldRevision)
}

// logIn gets another token than the one that was refused, or waits for that of somebody else.
func (s *store) logIn(ctx context.Context, old string) error {
	s.mu.Lock()
	if s.token != old {
		s.mu.Unlock()
		return nil
	}
	l := s.login
	if l == nil {
		l = &login{done: make(chan struct{})}
		s.login = l
		s.running.Go(func() { s.logInNow(l) })
	}
	s.mu.Unlock()
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *store) logInNow(l *login) {
	ctx, cancel := context.WithTimeout(context.WithValue(s.ctx, anonymous{}, true), loginPatience)
	defer cancel()
	token, err := s.tokenFor(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.login, l.err = token, nil, err
	close(l.done)
}

func (s *store) tokenFor(ctx context.Context) (string, error) {
	password, err := s.cfg.password()
	if err != nil {
		return "", err
	}
	answer, err := s.conn.Authenticate(ctx, s.cfg.User, password)
	switch {
	case errors.Is(err, rpctypes.ErrAuthNotEnabled):
		return "none", nil // it asks nobody who he is, and refuses this when it begins to
	case err != nil:
		return "", err
	}
	return answer.Token, nil
}
