package top

import (
	"context"
	"iter"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/top/inspect"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// Source is the supervisor, as top asks it. Each method may be called from any goroutine, and ends with its context.
type Source interface {
	Status(ctx context.Context) (supervisor.Snapshot, error)
	// Watch yields the snapshots as they are published. It ends without an error when the supervisor does.
	Watch(ctx context.Context) iter.Seq2[supervisor.Snapshot, error]
	Do(ctx context.Context, verb supervisor.Verb, body control.Body, wait time.Duration) (control.Result, error)
	// Secrets are the variables of a pool that came from credentials. ErrNotOffered is an answer, here and below.
	Secrets(ctx context.Context, pool string) ([]string, error)
	// Log is the end of what the workers of a slot have written.
	Log(ctx context.Context, pool string, slot int) ([]LogLine, error)
	// Events are the last ones of a slot.
	Events(ctx context.Context, pool string, slot int) ([]events.Event, error)
}

// detailTime is how long a supervisor may take to tell about one worker.
const detailTime = 5 * time.Second

// detailOf reads what there is to know of a worker, from the kernel and from the supervisor.
func detailOf(ctx context.Context, source Source, look Look) Detail {
	ctx, cancel := context.WithTimeout(ctx, detailTime)
	defer cancel()
	var d Detail
	w := &look.Worker
	names, err := source.Secrets(ctx, w.Pool)
	if w.PID != 0 {
		d.Report = inspect.Look(w.PID, look.Parent, inspect.Secrets{Names: names, Unknown: err != nil})
	} else {
		d.Report = inspect.Report{NoProcesses: errNoProcess, NoFiles: errNoProcess, NoLimits: errNoProcess, NoEnviron: errNoProcess}
	}
	d.Log, d.NoLog = source.Log(ctx, w.Pool, w.Slot)
	d.Events, d.NoEvents = source.Events(ctx, w.Pool, w.Slot)
	return d
}
