package metrics

import (
	dto "github.com/prometheus/client_model/go"

	"github.com/broodctl/brood/supervisor"
)

// claims puts what is shared with other supervisors.
func (c *Collector) claims(to sink, p *supervisor.PoolView, labels []*dto.LabelPair) {
	if p.Claims == nil {
		return
	}
	f := &c.families
	to.put(&f.placesHeld, labels, float64(p.Claims.Held))
	to.put(&f.placesWaiting, labels, float64(p.Claims.Waiting))
	to.put(&f.placesLost, labels, float64(p.Claims.Lost))
	if p.Claims.Deadline != nil {
		to.put(&f.placesDeadline, labels, *p.Claims.Deadline)
	}
}
