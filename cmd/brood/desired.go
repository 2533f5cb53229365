package main

import (
	"strconv"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/supervisor/plan"
)

// desired is what a configuration comes to, with the words that no reload changes.
func desired(cfg *config.Config) plan.Desired {
	d := cfg.Desired()
	d.Fixed = map[string]string{
		"supervisor.name": cfg.Name, "supervisor.control": cfg.Control, "supervisor.control.read, write, tcp": accessWords(cfg), "supervisor.http": httpWords(cfg),
		"coordination":         coordinationWords(cfg),
		"supervisor.log_level": cfg.LogLevel, "supervisor.log_format": cfg.LogFormat,
		"supervisor.upgrade_on_reload": strconv.FormatBool(cfg.UpgradeOnReload),
	}
	for i := range cfg.Hooks {
		d.Fixed["on_event."+cfg.Hooks[i].Name] = cfg.Hooks[i].Digest()
	}
	return d
}

// load reads the configuration again for a reload. Several may be read at once.
func (set *settings) load() (plan.Desired, error) {
	cfg, err := loadFile(set.cfg.Path, here(), config.ReadRegular, set.overlay)
	if err != nil {
		return plan.Desired{}, err
	}
	return desired(cfg), nil
}
