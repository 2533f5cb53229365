package host

import (
	"os"
	"slices"
	"sync"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// EverySpare, among the listeners of a pool, is the one that stands for all of systemd's sockets that no other listener takes.
const EverySpare = "*"

// Complete returns what a description comes to in this process: with the environment that workers inherit, and with the
// sockets that "*" stands for, which are spare. The Host does that for what it runs.
func Complete(d plan.Desired, spare []listener.Config) plan.Desired {
	inherited := worker.CleanEnviron(os.Environ())
	takes := false
	d.Pools = slices.Clone(d.Pools)
	for i := range d.Pools {
		p := &d.Pools[i]
		if p.Recipe.InheritEnv == nil {
			p.Recipe.InheritEnv = inherited
		}
		if p.Orphans == worker.OrphanKeep && p.Log.Mode == "auto" {
			p.Log.Mode = "inherit" // a pipe to us would end them with their next line
		}
		if at := slices.Index(p.Listen, EverySpare); at >= 0 {
			takes = true
			p.Listen = slices.Delete(slices.Clone(p.Listen), at, at+1)
			for j := range spare {
				p.Listen = append(p.Listen, spare[j].Name)
			}
		}
	}
	if takes {
		d.Listeners = append(slices.Clone(d.Listeners), spare...)
	}
	return d
}

// spares remembers which of systemd's sockets "*" has stood for: those that are open are not spare any more, and belong to
// it all the same.
type spares struct {
	set    *listener.Set
	passed []listener.Config // all that there are

	mu    sync.Mutex // a plan may be made while a reload reads the file
	taken []listener.Config
}

// list is what "*" stands for beside other listeners.
func (s *spares) list(others []listener.Config) []listener.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	spare := s.set.Spare(others)
	var all []listener.Config
	for _, cfg := range s.passed { // in the order that systemd gave, whoever had them meanwhile
		is := func(other listener.Config) bool { return other.Address == cfg.Address }
		if slices.ContainsFunc(spare, is) || slices.ContainsFunc(s.taken, is) && !slices.ContainsFunc(others, is) {
			all = append(all, cfg)
		}
	}
	return all
}

// fill is what a description comes to. What it has of systemd's sockets is remembered; of one that is never applied
// they are still spare, which does no harm.
func (s *spares) fill(d plan.Desired) plan.Desired {
	full := Complete(d, s.list(d.Listeners))
	s.take(full.Listeners[len(d.Listeners):])
	return full
}

func (s *spares) take(extra []listener.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cfg := range extra {
		if !slices.Contains(s.taken, cfg) {
			s.taken = append(s.taken, cfg)
		}
	}
}

// hand is what the next program has to remember.
func (s *spares) hand() []listener.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}
