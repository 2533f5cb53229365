package web

import (
	"fmt"
	"strings"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// The words of Health.Status and PoolHealth.Status.
const (
	Healthy     = "healthy"     // every slot has a ready worker
	Degraded    = "degraded"    // it serves, and not every slot has
	Unavailable = "unavailable" // it does not serve: not yet, not any more, or a pool has no ready worker left
)

// Health is what /healthz answers.
type Health struct {
	Status   string       `json:"status"`
	Service  string       `json:"service"` // the supervisor's name
	Version  string       `json:"version"`
	Instance string       `json:"instance_id"` // of this run on this machine
	Uptime   float64      `json:"uptime_seconds"`
	Reasons  []string     `json:"reasons,omitempty"` // why it is not healthy, beside the pools
	Pools    []PoolHealth `json:"pools"`
}

// PoolHealth is one pool of a Health.
type PoolHealth struct {
	Name       string   `json:"name"`
	Status     string   `json:"status"`
	State      string   `json:"state"` // in the words of the control API
	Generation uint64   `json:"generation"`
	Desired    int      `json:"desired"`
	Ready      int      `json:"ready"`
	Reasons    []string `json:"reasons,omitempty"`
}

// maxReasons bounds what is said of one pool: the first workers tell the story of a hundred.
const maxReasons = 4

// Judge says how well a supervisor serves. It is degraded as long as every pool has a ready worker that ever had all:
// a machine that serves is not to be taken out of service for a part of what it has. A pool that is added later does
// not count until it was complete once, nor does one that was stopped on request.
func Judge(snap *supervisor.Snapshot) Health {
	h := Health{Status: Healthy, Service: snap.Name, Version: snap.Version, Pools: []PoolHealth{}}
	switch snap.State {
	case supervisor.StateStarting, supervisor.StateStopping:
		h.Status, h.Reasons = Unavailable, []string{"the supervisor is " + snap.State}
	case supervisor.StateDegraded:
		h.Status = Degraded
	}
	for i := range snap.Pools {
		p := judgePool(&snap.Pools[i])
		if p.Status == Unavailable && p.State == supervisor.StateDegraded {
			h.Status = Unavailable
		}
		h.Pools = append(h.Pools, p)
	}
	return h
}

func judgePool(p *supervisor.PoolView) PoolHealth {
	h := PoolHealth{
		Name: p.Name, Status: Healthy, State: p.State, Generation: p.Generation, Desired: p.Desired, Ready: p.Ready, Reasons: reasons(p),
	}
	switch {
	case p.State == supervisor.StateReady:
	case p.State == supervisor.StateDegraded && p.Ready > 0:
		h.Status = Degraded
	default:
		h.Status = Unavailable
	}
	return h
}

// reasons says why a pool is not as it should be.
func reasons(p *supervisor.PoolView) []string {
	var all []string
	if len(p.WaitsFor) > 0 {
		all = append(all, "waits for "+strings.Join(p.WaitsFor, ", "))
	}
	if p.Claims != nil {
		all = append(all, p.Claims.Waits...)
		all = append(all, p.Claims.Trouble()...)
	}
	for _, unmet := range p.Unmet {
		all = append(all, "missing: "+unmet)
	}
	if r := p.Rollout; r != nil && r.State == "failed" {
		all = append(all, fmt.Sprintf("rollout of generation %d failed: %s", r.Generation, r.Reason))
	}
	if p.State == supervisor.StateReady {
		return all
	}
	workers := 0
	for i := range p.Workers {
		w := &p.Workers[i]
		why := trouble(w)
		if why == "" {
			continue
		}
		if workers++; workers <= maxReasons {
			all = append(all, fmt.Sprintf("slot %d is %s: %s", w.Slot, w.State, why))
		}
	}
	if more := workers - maxReasons; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return all
}

// trouble is what is wrong with a worker that is not ready, "" if nothing is known.
func trouble(w *supervisor.WorkerView) string {
	switch {
	case w.Ready:
		return ""
	case w.Health != "":
		return w.Health
	case w.State == machine.Waiting.String() || w.State == machine.Starting.String():
		return w.LastExit // of the one before
	}
	return ""
}
