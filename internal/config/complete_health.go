package config

import (
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/listener"
)

// The defaults of health that are not those of package probe.
const (
	defaultTrace  = 2 * time.Second
	defaultJitter = Percent(10)
	defaultGap    = 30 * time.Second

	defaultQueue     = Depth(1)
	defaultCPU       = Percent(80)
	defaultUpAfter   = 5 * time.Second
	defaultDownAfter = 2 * time.Minute
)

// completeHealth puts defaults where something is said that needs them: a probe without any key is none.
func completeHealth(p *PoolTable, listeners map[string]ListenTable) {
	for _, t := range []*ProbeTable{&p.Startup, &p.Readiness, &p.Liveness} {
		if t.said() {
			completeProbe(t)
		}
	}
	p.Health.Trace = orPointer(p.Health.Trace, Duration(defaultTrace))
	if r := &p.Recycle; *r != (RecycleTable{}) {
		r.Jitter = orPointer(r.Jitter, defaultJitter)
		r.Gap = orPointer(r.Gap, Duration(defaultGap))
	}
	if a := &p.Autoscale; p.Workers.follows() {
		if tellsQueue(p.Listen, listeners) {
			a.Queue = orPointer(a.Queue, defaultQueue)
		}
		a.CPU = orPointer(a.CPU, defaultCPU)
		a.UpAfter = orPointer(a.UpAfter, Duration(defaultUpAfter))
		a.DownAfter = orPointer(a.DownAfter, Duration(defaultDownAfter))
	}
}

// tellsQueue reports whether brood can see how many wait for the workers behind some listeners: on its own TCP sockets.
func tellsQueue(names []string, listeners map[string]ListenTable) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		l := listeners[name]
		a, err := listener.ParseAddress(l.Address)
		return name == everything || err == nil && l.Mode != listener.PerSlot.String() && (a.Network == "tcp" || a.Network == "systemd")
	})
}

// said reports whether any key of the probe is.
func (t *ProbeTable) said() bool { return !reflect.ValueOf(*t).IsZero() }

func completeProbe(t *ProbeTable) {
	if t.HTTP != "" {
		t.Status = or(t.Status, probe.DefaultStatus().String())
	}
	t.InitialDelay = orPointer(t.InitialDelay, 0)
	t.Period = orPointer(t.Period, Duration(probe.DefaultPeriod))
	t.Timeout = orPointer(t.Timeout, Duration(probe.DefaultTimeout))
	t.SuccessThreshold = or(t.SuccessThreshold, probe.DefaultSuccessThreshold)
	t.FailureThreshold = or(t.FailureThreshold, probe.DefaultFailureThreshold)
}

// patience is how long a worker may take to get ready, if nobody says: as long as its startup probe takes to fail, and
// then as long as without one. What is longer than can be told is for ever.
func patience(startup ProbeTable) Duration {
	const usual = Duration(defaultReadyTimeout)
	if !startup.said() {
		return usual
	}
	completeProbe(&startup)
	delay, period, times := *startup.InitialDelay, *startup.Period, Duration(startup.FailureThreshold)
	if period > (math.MaxInt64-delay-usual)/times {
		return 0
	}
	return delay + times*period + usual
}
