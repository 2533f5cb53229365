package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/broodctl/brood/internal/lease"
)

// Fleet is one of an engine.
type Fleet struct {
	Engine lease.Engine
	Config Config
}

// read is what is written about the fleet, and the revision of that.
func (f Fleet) read(ctx context.Context) (State, uint64, error) {
	m, err := f.Engine.Memo(ctx, f.Config.Name)
	if err != nil {
		return State{}, 0, err
	}
	s, err := decode(m.Text)
	if err != nil {
		err = fmt.Errorf("cannot read the memo %s of the fleet: %w; resume it, and it is written anew", f.Config.Name, err)
	}
	return s, m.Revision, err
}

// change writes something else about the fleet, if it is something else. Others who write meanwhile are heard.
func (f Fleet) change(ctx context.Context, change func(*State) (other bool)) (State, error) {
	for {
		m, err := f.Engine.Memo(ctx, f.Config.Name)
		if err != nil {
			return State{}, err
		}
		s, _ := decode(m.Text) // what cannot be read is written anew
		if !change(&s) {
			return s, nil
		}
		text, err := s.encode()
		if err != nil {
			return s, err
		}
		if _, err := f.Engine.SetMemo(ctx, f.Config.Name, text, m.Revision); !errors.Is(err, lease.ErrChanged) {
			return s, err
		}
	}
}

// Pause has nobody begin a rollout until Resume. Who rolls goes on.
func (f Fleet) Pause(ctx context.Context, r Remark) error {
	_, err := f.change(ctx, func(s *State) bool {
		s.Paused = &r
		return true
	})
	if err != nil {
		return fmt.Errorf("cannot pause the fleet %s: %w", f.Config.Name, err)
	}
	return nil
}

// Resume undoes Pause, and forgets what has failed. It returns what was so before.
func (f Fleet) Resume(ctx context.Context) (before State, err error) {
	_, err = f.change(ctx, func(s *State) bool {
		before, *s = *s, State{}
		return true
	})
	if err != nil {
		return before, fmt.Errorf("cannot resume the fleet %s: %w", f.Config.Name, err)
	}
	return before, nil
}

// Fail counts a rollout that failed. Whoever is not sure that it was counted may do so again.
func (f Fleet) Fail(ctx context.Context, r Remark) (State, error) {
	s, err := f.change(ctx, func(s *State) bool {
		if s.Failed != nil && s.Failed.Turn == r.Turn && r.Turn != 0 {
			return false
		}
		s.Failures++
		s.Failed = &r
		return true
	})
	if err != nil {
		return s, fmt.Errorf("cannot tell the fleet %s that a rollout failed: %w", f.Config.Name, err)
	}
	return s, nil
}

// count counts the members.
func (f Fleet) count(ctx context.Context) (int, error) {
	name, _ := f.Config.Members()
	holders, err := f.Engine.Holders(ctx, name)
	n := 0
	for _, h := range holders {
		if !h.Cooling {
			n++
		}
	}
	return n, err
}
