package fleet

import (
	"context"
	"errors"
	"hash/fnv"
	"strings"

	"github.com/broodctl/brood/internal/lease"
)

// Seat is the search for a member's place.
type Seat struct {
	fleet Fleet
	home  string
	first int
	cools int // the place that this home had before, and which is not given again yet; -1 if there is none
}

// NewSeat begins the search of a pool. A home is what a supervisor is called also when it is started anew: it looks for the
// place that it had before, so that those whose supervisors were killed are not left for ever.
func NewSeat(f Fleet, home, pool string) *Seat {
	h := fnv.New32a()
	_, _ = h.Write([]byte(home + "/" + pool))
	return &Seat{fleet: f, home: home, first: int(h.Sum32() % MaxMembers), cools: -1}
}

// Take gives the place of this home, or the next one if others have that.
func (s *Seat) Take(ctx context.Context) (lease.Claim, error) {
	name, among := s.fleet.Config.Members()
	s.cools = -1
	for i := range among.Len() {
		place := among.First + (s.first+i)%among.Len()
		c, err := s.fleet.Engine.Claim(ctx, name, place)
		taken, is := errors.AsType[*lease.TakenError](err)
		switch {
		case err == nil:
			return c, nil
		case is && taken.Cooling && strings.HasPrefix(taken.Who, s.home+","):
			s.cools = place
			return nil, err
		case !errors.Is(err, lease.ErrTaken):
			return nil, err
		}
	}
	return nil, lease.ErrFull
}

// Await returns when another Take may do.
func (s *Seat) Await(ctx context.Context, why error) error {
	name, among := s.fleet.Config.Members()
	switch {
	case s.cools >= 0:
		return s.fleet.Engine.Wait(ctx, name, lease.Only(s.cools))
	case errors.Is(why, lease.ErrFull), errors.Is(why, lease.ErrUnavailable):
		return s.fleet.Engine.Wait(ctx, name, among)
	}
	return why
}

// Explain says what is in the way.
func (s *Seat) Explain(_ context.Context, why error) string { return why.Error() }
