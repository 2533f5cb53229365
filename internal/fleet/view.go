package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// The states of a fleet.
const (
	Open    = "open"
	Paused  = "paused"
	Stopped = "stopped"
)

// View is a fleet as people see it.
type View struct {
	Name      string       `json:"name"`
	State     string       `json:"state"` // open, paused, stopped
	Paused    *Remark      `json:"paused,omitempty"`
	Failures  int          `json:"failures"` // rollouts since it was resumed last
	Failed    *Remark      `json:"failed,omitempty"`
	StopAfter int          `json:"stop_after_failures"`
	AtOnce    int          `json:"at_once"` // so many may roll
	Members   []MemberView `json:"members"`
}

// MemberView is one pool of a supervisor.
type MemberView struct {
	Who string `json:"who"`
	Report
	Lost bool `json:"lost,omitempty"` // nothing is heard of it any more
}

// View asks the engine how the fleet stands.
func (f Fleet) View(ctx context.Context) (View, error) {
	cannot := func(err error) (View, error) {
		return View{}, fmt.Errorf("cannot say how the fleet %s stands: %w", f.Config.Name, err)
	}
	s, _, err := f.read(ctx)
	if err != nil {
		return cannot(err)
	}
	name, _ := f.Config.Members()
	holders, err := f.Engine.Holders(ctx, name)
	if err != nil {
		return cannot(err)
	}
	v := View{
		Name: f.Config.Name, State: Open, Paused: s.Paused, Failures: s.Failures, Failed: s.Failed, StopAfter: f.Config.StopAfter,
		Members: []MemberView{},
	}
	switch {
	case s.Paused != nil:
		v.State = Paused
	case s.Halts(f.Config) != "":
		v.State = Stopped
	}
	living := 0
	for _, h := range holders {
		v.Members = append(v.Members, MemberView{Who: h.Who, Report: ReadReport(h.Value), Lost: h.Cooling})
		if !h.Cooling {
			living++
		}
	}
	v.AtOnce = f.Config.AtOnce(living)
	slices.SortStableFunc(v.Members, func(a, b MemberView) int { return cmp.Or(cmp.Compare(a.Who, b.Who), cmp.Compare(a.Pool, b.Pool)) })
	return v, nil
}
