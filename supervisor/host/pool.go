package host

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// NewPool describes a pool as brood.toml does that says nothing but its command and its listeners, whose names it has in
// Listen: one worker per CPU, and all else by default. Change what is to be otherwise. The words of the command are
// templates; see worker.Recipe.
func NewPool(name string, command []string, listeners ...listener.Config) (plan.Pool, error) {
	file := &config.File{Listen: map[string]config.ListenTable{}}
	file.Supervisor.Name = "host" // a file has to have one; no pool does
	table := config.PoolTable{Command: command}
	for i := range listeners {
		l := &listeners[i]
		file.Listen[l.Name] = config.ListenTable{Address: l.Address.String(), Mode: l.Mode.String()}
		table.Listen = append(table.Listen, l.Name)
	}
	file.Pool = map[string]config.PoolTable{name: table}
	cfg, err := config.FromFile(file, here())
	if err != nil {
		return plan.Pool{}, fmt.Errorf("cannot describe pool %s: %w", name, err)
	}
	return cfg.Pools[0], nil
}

// Parse reads listeners and pools in the words of docs/configuration.md. The name is for messages, and where relative
// paths begin. What is not of a pool or a listener is Options' business, and refused.
func Parse(name string, text []byte) (plan.Desired, error) {
	file, err := config.Parse(name, text)
	if err != nil {
		return plan.Desired{}, err
	}
	if !reflect.ValueOf(file.Supervisor).IsZero() || len(file.OnEvent) > 0 {
		return plan.Desired{}, fmt.Errorf("cannot use %s: %w", name, errOthers)
	}
	cfg, err := config.FromFile(file, here())
	if err != nil {
		return plan.Desired{}, err
	}
	return cfg.Desired(), nil
}

var errOthers = errors.New("[supervisor] and [on_event] are for the brood command")

// here is the world that a description is to run in.
func here() config.World {
	w := config.Here()
	w.Processors = config.ReadProcessors
	w.LookupUser = func(user, group string) error {
		_, err := worker.ResolveIdentity(user, group, nil)
		return err
	}
	return w
}
