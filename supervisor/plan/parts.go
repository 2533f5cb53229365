package plan

import "github.com/broodctl/brood/supervisor/machine"

// stopping, restarting and rolling are the parts of a specification that users know by these names. The seed of the
// backoff is chance.
func stopping(s *machine.Spec) machine.Spec {
	return machine.Spec{Grace: s.Grace, StopDelay: s.StopDelay}
}

func restarting(s *machine.Spec) machine.Spec {
	part := machine.Spec{Restart: s.Restart, Backoff: s.Backoff}
	part.Backoff.Seed = 0
	return part
}

func rolling(s *machine.Spec) machine.Spec {
	rest := *s
	rest.Workers, rest.FirstID, rest.LastID, rest.Reload = 0, 0, 0, 0
	rest.Grace, rest.StopDelay, rest.Restart, rest.Backoff = 0, 0, 0, machine.Backoff{}
	rest.Trace, rest.RecycleGap, rest.Leader = 0, 0, false
	rest.Claims, rest.KeepIDs = false, false // the supervisor's own
	return rest
}

// bounds and scaling are the two keys that an Autoscale comes from: how many workers there may be, and what makes it more
// or fewer.
func bounds(p *Pool) [2]int { return [2]int{p.Autoscale.Min, p.Autoscale.Max} }

func scaling(p *Pool) Autoscale {
	rest := p.Autoscale
	rest.Min, rest.Max = 0, 0
	return rest
}

// question is a probe with its regular expression as text: a compiled one remembers more than it says.
type question struct {
	probe Probe
	body  string
}

func questionOf(p *Probe) *question {
	if p == nil {
		return nil
	}
	q := &question{probe: *p}
	if p.Body != nil {
		q.probe.Body, q.body = nil, p.Body.String()
	}
	return q
}

// socket is a listener as a worker sees it: a name, and what is behind it.
type socket struct {
	name string
	key  Key
}

func (p *Plan) sockets(d *Desired, pool *Pool) []socket {
	var all []socket
	for _, name := range pool.Listen {
		if l := d.Listener(name); l != nil {
			all = append(all, socket{name, KeyOf(l)})
		}
	}
	return all
}
