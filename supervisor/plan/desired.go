package plan

import (
	"encoding/json"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// Desired is what a supervisor is to run: what a configuration file, or the flags, come to. It is never changed.
type Desired struct {
	Listeners []listener.Config
	Pools     []Pool
	// Coordination is what is shared with other supervisors. What a reload says of it holds when brood is started anew.
	Coordination Coordination
	// Fixed are settings that no reload changes, by key: what differs takes effect when brood is started anew.
	Fixed map[string]string
	// Document is where all this came from, as JSON without secrets, for people who ask. Nothing is decided by it.
	Document json.RawMessage
}

// Pool describes identical workers of one command.
type Pool struct {
	Name   string
	Spec   machine.Spec
	Recipe worker.RecipeConfig
	Umask  *uint32 // nil is the supervisor's
	Limits []worker.Limit
	// Settings are the workers', slot by slot; see worker.Settings.Of.
	Settings worker.Settings
	Listen   []string // names of Desired.Listeners
	Ready    worker.Readiness
	// ReadySaid: the user chose Ready, so that it counts also beside Health.Readiness.
	ReadySaid bool
	Health    Health
	Recycle   Recycle
	Autoscale Autoscale
	// Fleet is with whom the pool takes turns at rollouts.
	Fleet  fleet.Config
	Cgroup cgroup.Limits // of each worker
	// PrivateTmp gives each worker a directory of its own as TMPDIR; see worker.Command.
	PrivateTmp bool
	Signals    worker.Signals
	Orphans    worker.OrphanPolicy
	Clean      worker.ExitSet // the ends, beside status 0, that count as success
	Log        Log            // what becomes of the workers' output

	Requires        []string // what must be there before it starts; see internal/require
	RequiresTimeout time.Duration
	PreStart        []string // shell commands, one after another, once before a generation starts
	After           []string // pools that must be ready first, and stop later

	// Secrets are the names of the variables in Recipe.Env whose values must never be shown.
	Secrets []string
	// Sources say what Recipe depends on beside itself: a digest of the content of each file that a credential hands over
	// by its path, so that another content counts as a change.
	Sources map[string]string
}

// Pool returns the pool of a name, nil if there is none.
func (d *Desired) Pool(name string) *Pool {
	for i := range d.Pools {
		if d.Pools[i].Name == name {
			return &d.Pools[i]
		}
	}
	return nil
}

// Listener returns the listener of a name, nil if there is none.
func (d *Desired) Listener(name string) *listener.Config {
	for i := range d.Listeners {
		if d.Listeners[i].Name == name {
			return &d.Listeners[i]
		}
	}
	return nil
}

// Key tells listeners apart by what cannot be changed while they are open. The name can: it is only what workers find
// them by.
type Key struct {
	Address string
	Mode    listener.Mode
}

// KeyOf returns the key of a listener.
func KeyOf(c *listener.Config) Key { return Key{Address: c.Address.String(), Mode: c.Mode} }

// Exclusive reports whether one pool at a time can use such a listener: its sockets, or its ports, belong to slots.
func Exclusive(c *listener.Config) bool {
	switch c.Mode {
	case listener.Shared:
		return false
	case listener.Sharded, listener.PerSlot:
		return true
	case listener.Auto:
	}
	return c.Address.Network != "unix"
}
