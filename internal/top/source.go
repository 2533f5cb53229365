package top

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/top/inspect"
	"github.com/broodctl/brood/supervisor"
)

// Source is the supervisor, as top asks it: a [control.Client]. Its methods may be called from any goroutine.
type Source interface {
	Status(ctx context.Context) (supervisor.Snapshot, error)
	Watch(ctx context.Context) iter.Seq2[supervisor.Snapshot, error]
	Do(ctx context.Context, verb supervisor.Verb, body control.Body, wait time.Duration) (control.Result, error)
	Config(ctx context.Context) (control.Config, error)
	Logs(ctx context.Context, wanted control.LogsWanted) iter.Seq2[control.LogLine, error]
	Events(ctx context.Context, wanted control.EventsWanted) iter.Seq2[control.Identified, error]
}

const (
	// detailTime is how long a supervisor may take to tell about one worker.
	detailTime = 5 * time.Second
	// logTail is how many lines of a worker are read: some screens.
	logTail = 300
)

var errNoProcess = errors.New("there is no process: it waits for its start")

// detailOf reads what there is to know of a worker, from the kernel and from the supervisor.
func detailOf(ctx context.Context, source Source, look Look) Detail {
	ctx, cancel := context.WithTimeout(ctx, detailTime)
	defer cancel()
	var d Detail
	w := &look.Worker
	d.Report = inspect.Report{NoProcesses: errNoProcess, NoFiles: errNoProcess, NoLimits: errNoProcess, NoEnviron: errNoProcess}
	if w.PID != 0 {
		d.Report = inspect.Look(w.PID, look.Parent, secretsOf(ctx, source, w.Pool))
	}
	for l, err := range source.Logs(ctx, control.LogsWanted{Pool: w.Pool, Slot: &w.Slot, Last: logTail}) {
		if err != nil {
			d.NoLog = err
			break
		}
		d.Log = append(d.Log, l)
	}
	return d
}

// secretsOf asks which variables of a pool came from credentials.
func secretsOf(ctx context.Context, source Source, pool string) inspect.Secrets {
	answer, err := source.Config(ctx)
	if err != nil {
		return inspect.Secrets{Unknown: true}
	}
	return readSecrets(answer.Config, pool)
}

// readSecrets finds the names of the credentials of a pool in a configuration. One that does not have the pool says nothing.
func readSecrets(config json.RawMessage, pool string) inspect.Secrets {
	var file struct {
		Pool map[string]struct {
			Credentials map[string]json.RawMessage `json:"credentials"`
		} `json:"pool"`
	}
	err := json.Unmarshal(config, &file)
	table, ok := file.Pool[pool]
	if err != nil || !ok {
		return inspect.Secrets{Unknown: true}
	}
	var names []string
	for name := range table.Credentials {
		names = append(names, name)
	}
	slices.Sort(names)
	return inspect.Secrets{Names: names}
}
