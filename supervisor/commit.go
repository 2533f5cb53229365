package supervisor

import (
	"slices"
	"strings"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// commit ends a transaction that went well: what is not wanted any more is closed, and the workers of the pools that were
// not rolled hear of it where they survive that.
func (s *Supervisor) commit(t *transaction) {
	s.desired = t.plan.New
	s.desired.Coordination = t.plan.Old.Coordination // our claims are there
	s.putDocument()
	steps := t.steps
	t.opened = nil
	t.release()
	var texts []string
	var told []*pool
	for i := range t.plan.Changes {
		c := &t.plan.Changes[i]
		switch c.Kind {
		case plan.Removed:
			s.drop(steps[i].pool)
		case plan.Kept, plan.Adjusted:
			told = append(told, s.pool(c.Pool))
		case plan.Added:
			if ended := steps[i].ended; ended != nil {
				ended.close()
			}
		case plan.Rolled, plan.Scaled: // a changed number touches no other worker
		}
		if c.Kind != plan.Kept {
			texts = append(texts, c.String())
		}
	}
	s.sortPools()
	s.sayWhatIsMissing(&s.desired)
	s.house.clear(&s.desired, s.cannotClose)
	s.config.Loaded = s.reloadDone()
	for _, key := range t.plan.Fixed {
		s.log.Warn().Str(keyKey, key).Str(keyWas, t.plan.Old.Fixed[key]).Str(keyIs, t.plan.New.Fixed[key]).
			Msg("a changed setting of the supervisor itself takes effect when it is started anew")
		texts = append(texts, key+" takes effect when brood is started anew")
	}
	s.log.Info().Strs(keyChanges, texts).Msg("reload done")
	gather := newGather(max(len(told), 1), replyFunc(func(v Verdict) {
		texts = append(texts, v.Text)
		s.endTransaction(Verdict{Text: strings.TrimSpace(strings.Join(texts, "\n"))})
	}))
	for _, p := range told {
		p.reload(signalOnly, gather)
	}
	if len(told) == 0 {
		gather.give(Verdict{})
	}
}

func (s *Supervisor) cannotResume(l Listener, err error) {
	s.log.Error().Err(err).Str(keyListener, l.Name()).Msg("cannot resume listener")
}

func (s *Supervisor) cannotClose(l Listener, err error) {
	s.log.Error().Err(err).Str(keyListener, l.Name()).Msg("cannot close listener")
}

// sortPools brings the pools into the order of the configuration.
func (s *Supervisor) sortPools() {
	at := func(p *pool) int {
		return slices.IndexFunc(s.desired.Pools, func(d plan.Pool) bool { return d.Name == p.name })
	}
	slices.SortStableFunc(s.pools, func(a, b *pool) int { return at(a) - at(b) })
}

// drop forgets a pool that has ended.
func (s *Supervisor) drop(p *pool) {
	if p == nil || p.st.Phase != machine.Exited {
		return
	}
	p.close()
	s.pools = slices.DeleteFunc(s.pools, func(q *pool) bool { return q == p })
}
