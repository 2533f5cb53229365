package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// The states of an operation.
const (
	OperationRunning = "running"
	OperationDone    = "done"
	OperationFailed  = "failed"
)

// Operation is something that somebody asked for, from the request to its end.
type Operation struct {
	ID      string          `json:"id"`
	Verb    supervisor.Verb `json:"verb"`
	Pool    string          `json:"pool,omitempty"`
	Slot    *int            `json:"slot,omitempty"`
	Workers int             `json:"workers,omitempty"`
	Delta   int             `json:"delta,omitempty"`
	Signal  string          `json:"signal,omitempty"`
	Force   bool            `json:"force,omitempty"`
	Abort   bool            `json:"abort,omitempty"`
	State   string          `json:"state"` // running, done, failed
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended,omitzero"`
	Text    string          `json:"text,omitempty"`
	Error   string          `json:"error,omitempty"`
	Code    Code            `json:"code,omitempty"`
	Hint    string          `json:"hint,omitempty"`
	Lines   []string        `json:"last_lines,omitempty"` // of the worker that is to blame
	UID     *int            `json:"uid,omitempty"`        // who asked
	PID     int             `json:"pid,omitempty"`        // of the process that asked
	From    string          `json:"from,omitempty"`       // the address that asked over TCP
}

// under is an operation under way, or ended.
type under struct {
	view     Operation // guarded by the lock of all
	answered chan struct{}
	verdict  supervisor.Verdict // of the request; to be read after answered is closed
	ended    chan struct{}
	forget   context.CancelCauseFunc // ends the waiting for what was answered before its end
}

func newUnder(body Body, req supervisor.Request) *under {
	op := &under{answered: make(chan struct{}), ended: make(chan struct{})}
	op.view = Operation{
		Verb: req.Verb, Pool: body.Pool, Slot: body.Slot, Workers: body.Workers, Delta: body.Delta, Signal: body.Signal, Force: body.Force, Abort: body.Abort,
		State: OperationRunning, Started: time.Now(), PID: req.PID, From: req.From,
	}
	if req.UID != nobody {
		op.view.UID = new(req.UID)
	}
	return op
}

// errOvertaken ends an operation whose aim is not wanted any more.
var errOvertaken = errors.New("somebody has asked for something else meanwhile")

// follow waits for the end of what a request began that was answered before its end: for as many ready workers as are
// wanted, or for the end of what is stopped. It asks nobody: it looks at the snapshots.
func follow(ctx context.Context, sup Supervisor, req supervisor.Request) error {
	if req.Verb != supervisor.Scale && req.Verb != supervisor.Stop {
		return nil
	}
	first := sup.Published()
	for {
		changed, snap := sup.Changed(), sup.Published()
		done, err := through(first, snap, req)
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("cannot wait for the end of %s: %w", req.Verb, context.Cause(ctx))
		}
		select {
		case <-time.After(watchPause): // a snapshot of a thousand workers takes its time
		case <-ctx.Done():
		}
	}
}

// through reports whether what was asked for has come about. first is how it was right after the request.
func through(first, now *supervisor.Snapshot, req supervisor.Request) (bool, error) {
	for i := range first.Pools {
		was := &first.Pools[i]
		if req.Pool != "" && req.Pool != was.Name {
			continue
		}
		is := poolOf(now, was.Name)
		switch {
		case is == nil && req.Verb == supervisor.Scale:
			return false, fmt.Errorf("cannot scale pool %s: it is gone: %w", was.Name, errOvertaken)
		case is == nil:
		case req.Verb == supervisor.Stop:
			if is.Phase != phaseExited {
				return false, nil
			}
		case is.Phase != phaseServing:
			return false, fmt.Errorf("cannot scale pool %s: %w", was.Name, supervisor.ErrStopped)
		case is.Desired != was.Desired:
			return false, fmt.Errorf("cannot scale pool %s to %d workers: it is to have %d: %w", was.Name, was.Desired, is.Desired, errOvertaken)
		case is.Ready < is.Desired || surplus(is):
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
