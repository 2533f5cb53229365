package main

import (
	"os"
	"slices"

	"github.com/rs/zerolog"

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
	var d plan.Desired
	for i := range cfg.Listeners {
		d.Listeners = append(d.Listeners, cfg.Listeners[i].Config)
	}
	extra := spare(d.Listeners)
	inherited := worker.CleanEnviron(os.Environ())
	takes := false
	for i := range cfg.Pools {
		p := cfg.Pools[i]
		p.Recipe.InheritEnv = inherited
		if p.Orphans == worker.OrphanKeep && p.Output == "auto" {
			p.Output = "inherit" // a pipe to us would end them with their next line
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

// loader reads the configuration again for a reload.
type loader struct {
	set   *settings
	spare func([]listener.Config) []listener.Config
	log   zerolog.Logger
}

func (l *loader) load() (plan.Desired, error) {
	old := l.set.cfg
	cfg, err := loadFile(old.Path, here(), l.set.overlay)
	if err != nil {
		return plan.Desired{}, err
	}
	for _, fixed := range []struct{ key, is, was string }{
		{"name", cfg.Name, old.Name},
		{"control", cfg.Control, old.Control},
		{"log_level", cfg.LogLevel, old.LogLevel},
		{"log_format", cfg.LogFormat, old.LogFormat},
	} {
		if fixed.is != fixed.was {
			l.log.Warn().Str("key", "supervisor."+fixed.key).Str("was", fixed.was).Str("is", fixed.is).
				Msg("a changed setting of the supervisor itself takes effect when it is started anew")
		}
	}
	return desired(cfg, l.spare), nil
}
