package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Aim is what is to come about of a pool when a request has been answered: so many workers, or its end.
type Aim struct {
	Pool    string `json:"pool"`
	Workers int    `json:"workers"`
}

// aimsOf are those of a request that is answered before its end, as it is right after that.
func aimsOf(now *supervisor.Snapshot, req supervisor.Request) []Aim {
	if req.Verb != supervisor.Scale && req.Verb != supervisor.Stop {
		return nil
	}
	var all []Aim
	for i := range now.Pools {
		if p := &now.Pools[i]; req.Pool == "" || req.Pool == p.Name {
			all = append(all, Aim{Pool: p.Name, Workers: p.Desired})
		}
	}
	return all
}

// errOvertaken ends an operation whose aim is not wanted any more.
var errOvertaken = errors.New("somebody has asked for something else meanwhile")

// follow waits until the aims of a request have come about. It asks nobody: it looks at the snapshots.
func follow(ctx context.Context, sup Supervisor, verb supervisor.Verb, aims []Aim) error {
	for {
		changed, snap := sup.Changed(), sup.Published()
		done, err := through(aims, snap, verb)
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("cannot wait for the end of %s: %w", verb, context.Cause(ctx))
		}
		select {
		case <-time.After(watchPause): // a snapshot of a thousand workers takes its time
		case <-ctx.Done():
		}
	}
}

// through reports whether what was asked for has come about.
func through(aims []Aim, now *supervisor.Snapshot, verb supervisor.Verb) (bool, error) {
	for _, aim := range aims {
		is := poolOf(now, aim.Pool)
		switch {
		case is == nil && verb == supervisor.Scale:
			return false, fmt.Errorf("cannot scale pool %s: it is gone: %w", aim.Pool, errOvertaken)
		case is == nil:
		case verb == supervisor.Stop:
			if is.Phase != phaseExited {
				return false, nil
			}
		case is.Phase != phaseServing:
			return false, fmt.Errorf("cannot scale pool %s: %w", aim.Pool, supervisor.ErrStopped)
		case is.Desired != aim.Workers:
			return false, fmt.Errorf("cannot scale pool %s to %d workers: it is to have %d: %w", aim.Pool, aim.Workers, is.Desired, errOvertaken)
		case is.Ready+is.StandsBy < is.Desired || surplus(is):
			return false, nil
		}
	}
	return true, nil
}

// The phases of a pool that matter here.
const (
	phaseServing = "serving"
	phaseExited  = "exited"
)

func poolOf(snap *supervisor.Snapshot, name string) *supervisor.PoolView {
	for i := range snap.Pools {
		if snap.Pools[i].Name == name {
			return &snap.Pools[i]
		}
	}
	return nil
}

// surplus reports whether a worker of a slot is left that is not wanted any more.
func surplus(p *supervisor.PoolView) bool {
	for i := range p.Workers {
		if p.Workers[i].Slot >= p.Desired {
			return true
		}
	}
	return false
}
