package main

import (
	"os"
	"slices"
	"sync"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// everySpare is the listener that stands for all of systemd's sockets that no other listener takes.
const everySpare = "*"

// desired is what a configuration comes to here: with the environment that workers inherit, and the sockets that systemd
// passed.
func desired(cfg *config.Config, spare func([]listener.Config) []listener.Config) plan.Desired {
	d := plan.Desired{Document: cfg.Document, Fixed: map[string]string{
		"supervisor.name": cfg.Name, "supervisor.control": cfg.Control, "supervisor.control.read, write, tcp": accessWords(cfg), "supervisor.http": httpWords(cfg),
		"supervisor.log_level": cfg.LogLevel, "supervisor.log_format": cfg.LogFormat,
	}}
	for i := range cfg.Hooks {
		d.Fixed["on_event."+cfg.Hooks[i].Name] = cfg.Hooks[i].Digest()
	}
	for i := range cfg.Listeners {
		d.Listeners = append(d.Listeners, cfg.Listeners[i].Config)
	}
	extra := spare(d.Listeners)
	inherited := worker.CleanEnviron(os.Environ())
	takes := false
	for i := range cfg.Pools {
		p := cfg.Pools[i]
		p.Recipe.InheritEnv = inherited
		if p.Orphans == worker.OrphanKeep && p.Log.Mode == "auto" {
			p.Log.Mode = "inherit" // a pipe to us would end them with their next line
		}
		if at := slices.Index(p.Listen, everySpare); at >= 0 {
			takes = true
			p.Listen = slices.Delete(slices.Clone(p.Listen), at, at+1)
			for j := range extra {
				p.Listen = append(p.Listen, extra[j].Name)
			}
		}
		d.Pools = append(d.Pools, p)
	}
	if takes {
		d.Listeners = append(d.Listeners, extra...)
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

// desired is what a configuration comes to. What it has of systemd's sockets is remembered; of one that is never applied
// they are still spare, which does no harm.
func (s *spares) desired(cfg *config.Config) plan.Desired {
	d := desired(cfg, s.list)
	s.take(&d, cfg.Listeners)
	return d
}

func (s *spares) take(d *plan.Desired, named []config.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cfg := range d.Listeners[len(named):] {
		if !slices.Contains(s.taken, cfg) {
			s.taken = append(s.taken, cfg)
		}
	}
}

// loader reads the configuration again for a reload. Several may be read at once.
type loader struct {
	set    *settings
	spares *spares
}

func (l *loader) load() (plan.Desired, error) {
	cfg, err := loadFile(l.set.cfg.Path, here(), config.ReadRegular, l.set.overlay)
	if err != nil {
		return plan.Desired{}, err
	}
	return l.spares.desired(cfg), nil
}
