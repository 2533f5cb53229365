package supervisor

import (
	"encoding/json"
	"fmt"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// plan tells what a reload would do. Nothing is changed.
func (s *Supervisor) plan(reply replier) {
	if s.cfg.World.Load == nil {
		reply.give(Verdict{Err: fmt.Errorf("cannot plan a reload: %w", ErrNoFile)})
		return
	}
	f, hearing := s.facts(), s.hearing()
	s.lookUp(func() {
		p, err := s.compare(f)
		if err != nil {
			s.mail.post(answered{reply, Verdict{Err: fmt.Errorf("cannot plan a reload: %w", err)}})
			return
		}
		view := p.View(func(pool string) plan.Hearing {
			if hear := hearing[pool]; hear != nil {
				return hear(p.Empty())
			}
			return plan.Untouched
		})
		data, err := json.Marshal(view)
		s.mail.post(answered{reply, Verdict{Data: data, Err: err}})
	})
}

// hearing looks up what the pools would hear of a reload in which they do not change. The functions read /proc, and
// belong beside the loop.
func (s *Supervisor) hearing() map[string]func(empty bool) plan.Hearing {
	all := map[string]func(bool) plan.Hearing{}
	for _, p := range s.pools {
		st, pids := p.st, []int(nil)
		declared := map[int]bool{}
		for ref, rec := range p.workers {
			if w, ok := st.Worker(ref); ok && w.Health.Up() && rec.proc != nil {
				pids = append(pids, rec.proc.PID())
				declared[rec.proc.PID()] = rec.reload
			}
		}
		sig := p.cfg().Signals.Reload
		all[p.name] = func(empty bool) plan.Hearing {
			safe := len(pids) > 0
			for _, pid := range pids {
				safe = safe && s.cfg.World.survives(pid, sig, declared[pid])
			}
			switch {
			case st.Spec.Reload == machine.ReloadSignal, st.Spec.Reload == machine.ReloadAuto && safe:
				return plan.Signal
			case empty:
				return plan.Replaced
			}
			return plan.Untouched
		}
	}
	return all
}
