package host

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/local"
	"github.com/broodctl/brood/internal/lease/remote"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
)

// openPlaces is where worker ids and leaders are shared, if they are: for the others of this machine.
func (h *Host) openPlaces(c plan.Coordination) error {
	if c.Group == "" {
		return nil
	}
	dir := c.Directory
	if dir == "" {
		dir = placesDir()
	}
	engine, err := local.New(local.Config{Dir: dir, Who: h.who()})
	if err != nil {
		return fmt.Errorf("cannot share worker ids: %w", err)
	}
	h.atClose(func() { _ = engine.Close() })
	h.world.Places = &supervisor.Places{Engine: engine, Group: c.Group, Clock: remote.Boottime{}}
	return nil
}

// placesDir is beside the control sockets. A directory that systemd makes for one unit is not shared with others, so it is
// not asked for.
func placesDir() string {
	shared := func(name string) string {
		if name == "RUNTIME_DIRECTORY" {
			return ""
		}
		return os.Getenv(name)
	}
	return filepath.Join(filepath.Dir(control.DefaultPath(shared, os.Geteuid(), "any")), "places") // all sockets have one directory
}

// who is what others read who want a place that we have.
func (h *Host) who() string {
	machine, err := os.Hostname()
	if err != nil {
		machine = "this machine"
	}
	who := fmt.Sprintf("%s on %s, process %d", h.opt.Name, machine, os.Getpid())
	return who[:min(len(who), lease.MaxWho)]
}
