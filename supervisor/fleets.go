package supervisor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/fleet"
)

// fleetTime is how long a fleet may take to be asked, or told, something that somebody waits for.
const fleetTime = 10 * time.Second

// viewFleet is nil where the pool takes turns with nobody.
func (p *pool) viewFleet() *FleetView {
	if p.member.fleet.Name == "" {
		return nil
	}
	return &FleetView{Name: p.member.fleet.Name, State: p.member.report.State, config: p.member.fleet}
}

// fleets are those of the pools, by name.
func (snap *Snapshot) fleets() map[string]fleet.Config {
	all := map[string]fleet.Config{}
	for i := range snap.Pools {
		if f := snap.Pools[i].Fleet; f != nil {
			all[f.Name] = f.config
		}
	}
	return all
}

// fleetNamed finds a fleet; "" is the only one.
func (snap *Snapshot) fleetNamed(name string) (fleet.Config, error) {
	all := snap.fleets()
	var names []string
	for known := range all {
		names = append(names, known)
	}
	slices.Sort(names)
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	c, known := all[name]
	switch {
	case known:
		return c, nil
	case len(names) == 0:
		return c, fmt.Errorf("%w: %q: no pool here has rollout.fleet", ErrNoFleet, name)
	case name == "":
		return c, fmt.Errorf("%w: say which (there is: %s)", ErrNoFleet, strings.Join(names, ", "))
	}
	return c, fmt.Errorf("%w: %q (there is: %s)", ErrNoFleet, name, strings.Join(names, ", "))
}

// Fleets asks how the fleets of the pools stand; the one of a name, or all of them if that is empty. It never asks the loop.
func (s *Supervisor) Fleets(ctx context.Context, name string) ([]fleet.View, error) {
	snap := s.snapshot.Load()
	wanted := snap.fleets()
	if name != "" {
		c, err := snap.fleetNamed(name)
		if err != nil {
			return nil, err
		}
		wanted = map[string]fleet.Config{name: c}
	}
	ctx, cancel := context.WithTimeout(ctx, fleetTime)
	defer cancel()
	views := []fleet.View{}
	for _, c := range wanted {
		v, err := fleet.Fleet{Engine: s.cfg.World.Places.Engine, Config: c}.View(ctx)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	slices.SortFunc(views, func(a, b fleet.View) int { return strings.Compare(a.Name, b.Name) })
	return views, nil
}

// steerFleet pauses a fleet, or has it go on, beside the loop.
func (s *Supervisor) steerFleet(req Request, reply replier) {
	c, err := s.snapshot.Load().fleetNamed(req.Fleet)
	if err != nil {
		reply.give(Verdict{Err: fmt.Errorf("cannot %s the fleet: %w", req.Verb, err)})
		return
	}
	f, home := fleet.Fleet{Engine: s.cfg.World.Places.Engine, Config: c}, s.cfg.World.Places.Home
	s.lookUp(func() {
		ctx, cancel := context.WithTimeout(s.ctx, fleetTime)
		defer cancel()
		text, err := "the fleet "+c.Name+" is paused: who rolls goes on, and nobody begins", error(nil)
		if req.Verb == Pause {
			err = f.Pause(ctx, fleet.Remark{Who: req.who() + home, Why: req.Reason, At: time.Now().UTC()})
		} else {
			text, err = resume(ctx, f)
		}
		if err != nil {
			text = ""
		}
		s.mail.post(answered{reply, Verdict{Text: text, Err: err}})
	})
}

// resume has a fleet go on, and says what it had halted for.
func resume(ctx context.Context, f fleet.Fleet) (text string, err error) {
	before, err := f.Resume(ctx)
	text = "the fleet " + f.Config.Name + " goes on"
	if why := before.Halts(f.Config); why != "" {
		text += ", which was" + strings.TrimPrefix(why, "the fleet "+f.Config.Name+" is")
	}
	return text, err
}

// who names a user for people, and what comes behind.
func (r *Request) who() string {
	if r.UID == Nobody {
		return ""
	}
	return "user " + strconv.Itoa(r.UID) + " at "
}
