package config

import (
	"maps"
	"slices"
	"time"

	"github.com/broodctl/brood/listener"
)

// The defaults that a file may change.
const (
	readyAuto              = "auto"
	defaultGrace           = 30 * time.Second
	defaultReadyTimeout    = time.Minute
	defaultSettle          = time.Second
	defaultBackoff         = 500 * time.Millisecond
	defaultMaxBackoff      = 30 * time.Second
	defaultRequiresTimeout = 5 * time.Second
	defaultPrefix          = "/brood"
	defaultLease           = 10 * time.Second
	defaultHookTimeout     = 10 * time.Second
	defaultHookAttempts    = 5
	defaultHookQueue       = 1000
)

// Complete returns a copy in which every default is written down that depends on nothing but the file: what Encode
// makes of it means the same as f. Not written down are what only counts if somebody said it (dump_signal vouches for a
// handler, worker_ids keeps others from the same numbers) and what has no word (no limit, no user). Keys that make no
// sense stay as they are.
func Complete(f *File) *File {
	full := *f
	full.Listen, full.Pool, full.OnEvent = maps.Clone(f.Listen), maps.Clone(f.Pool), maps.Clone(f.OnEvent)
	if f.doc != nil {
		full.Supervisor.Name = or(f.Supervisor.Name, nameOf(f.doc.name))
	}
	full.Supervisor.LogLevel = or(f.Supervisor.LogLevel, "info")
	full.Supervisor.LogFormat = or(f.Supervisor.LogFormat, "auto")
	full.Coordination = completeCoordination(f.Coordination)
	for name, l := range full.Listen {
		full.Listen[name] = completeListener(l)
	}
	for name, p := range full.Pool {
		full.Pool[name] = completePool(p, f.Listen)
	}
	for name, h := range full.OnEvent {
		full.OnEvent[name] = completeHook(h)
	}
	return &full
}

// or is the value that was said, or else the default.
func or[T comparable](said, otherwise T) T {
	var nothing T
	if said == nothing {
		return otherwise
	}
	return said
}

func orPointer[T any](said *T, otherwise T) *T {
	if said == nil {
		return &otherwise
	}
	return said
}

func completeHook(h HookTable) HookTable {
	h.Timeout = orPointer(h.Timeout, Duration(defaultHookTimeout))
	h.Attempts = orPointer(h.Attempts, defaultHookAttempts)
	h.Queue = orPointer(h.Queue, defaultHookQueue)
	return h
}

func completeListener(l ListenTable) ListenTable {
	l.Mode = or(l.Mode, listener.Auto.String())
	address, err := listener.ParseAddress(l.Address)
	if err != nil {
		return l
	}
	if address.Network == "unix" {
		l.Perm = or(l.Perm, "0660")
	}
	if l.QueueAware == nil && awareByDefault(address, l) {
		l.QueueAware = new(true)
	}
	return l
}

func awareByDefault(address listener.Address, l ListenTable) bool {
	mode, badMode := listener.ParseMode(l.Mode)
	steer, badSteer := listener.ParsePolicy(or(l.Steer, listener.Random.String()))
	return badMode == nil && badSteer == nil && listener.Config{Address: address, Mode: mode, Steer: steer}.DefaultQueueAware()
}

func completePool(p PoolTable, listeners map[string]ListenTable) PoolTable {
	p.Workers = completeWorkers(p.Workers)
	if !p.Readiness.said() { // beside which ready only counts if somebody said it
		p.Ready = or(p.Ready, readyAuto)
	}
	p.Reload = or(p.Reload, "auto")
	p.ReloadSignal = or(p.ReloadSignal, "HUP")
	p.Orphans = or(p.Orphans, "kill")
	p.RequiresTimeout = orPointer(p.RequiresTimeout, Duration(defaultRequiresTimeout))

	p.Stop.Signal = or(p.Stop.Signal, "TERM")
	p.Stop.Grace = orPointer(p.Stop.Grace, Duration(defaultGrace))
	p.Stop.Delay = orPointer(p.Stop.Delay, 0)

	p.Restart.Policy = or(p.Restart.Policy, "always")
	p.Restart.Backoff = orPointer(p.Restart.Backoff, Duration(defaultBackoff))
	p.Restart.MaxBackoff = orPointer(p.Restart.MaxBackoff, Duration(max(defaultMaxBackoff, time.Duration(*p.Restart.Backoff))))
	p.Restart.GiveUpAfter = orPointer(p.Restart.GiveUpAfter, 0)

	completeLog(&p.Log)
	completeRollout(&p, listeners)
	completeHealth(&p, listeners)
	return p
}

func completeWorkers(w *Workers) *Workers {
	switch {
	case w == nil:
		return &Workers{Count: "cpus"}
	case w.follows() && w.Min == "" && w.Max != "":
		return &Workers{Min: "1", Max: w.Max}
	}
	return w
}

// completeRollout fits what was not said to what was.
func completeRollout(p *PoolTable, listeners map[string]ListenTable) {
	order, settle := "start-first", Duration(defaultSettle)
	perSlot := func(name string) bool { return listeners[name].Mode == listener.PerSlot.String() }
	if slices.ContainsFunc(p.Listen, perSlot) {
		order = "stop-first" // a program cannot overlap on a port of its own with its successor
	}
	if len(p.Listen) == 0 {
		settle = 0 // nobody is steered
	}
	r := &p.Rollout
	r.Order = or(r.Order, order)
	unavailable := Share("0")
	if r.Order == "stop-first" {
		unavailable = "1"
	}
	r.MaxSurge = orPointer(r.MaxSurge, "1")
	r.MaxUnavailable = orPointer(r.MaxUnavailable, unavailable)
	r.ReadyTimeout = orPointer(r.ReadyTimeout, patience(p.Startup))
	r.MinReady = orPointer(r.MinReady, 0)
	r.Canary = orPointer(r.Canary, 0)
	r.Settle = orPointer(r.Settle, settle)
	if f := &r.Fleet; *f != (FleetTable{}) {
		f.MaxParallel = orPointer(f.MaxParallel, "1")
		f.StopAfterFailures = orPointer(f.StopAfterFailures, 1)
	}
}

func completeCoordination(t CoordinationTable) CoordinationTable {
	if len(t.Etcd) > 0 {
		t.Prefix, t.Lease, t.OnLost = or(t.Prefix, defaultPrefix), or(t.Lease, Duration(defaultLease)), or(t.OnLost, "stop")
	}
	return t
}
