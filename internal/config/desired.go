package config

import (
	"slices"

	"github.com/broodctl/brood/supervisor/plan"
)

// Desired is what the listeners and pools of a configuration come to, on a machine that nothing is known of.
func (c *Config) Desired() plan.Desired {
	d := plan.Desired{Pools: slices.Clone(c.Pools), Document: c.Document, Coordination: c.Coordination}
	for i := range c.Listeners {
		d.Listeners = append(d.Listeners, c.Listeners[i].Config)
	}
	return d
}
