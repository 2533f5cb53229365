package host

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/etcd"
	"github.com/broodctl/brood/internal/lease/local"
	"github.com/broodctl/brood/internal/lease/remote"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
)

// openPlaces is where worker ids and leaders are shared, if they are.
func (h *Host) openPlaces(c plan.Coordination) error {
	if c.Group == "" {
		return nil
	}
	open := h.openLocal
	if len(c.Etcd.Endpoints) > 0 {
		open = h.openEtcd
	}
	engine, err := open(c)
	if err != nil {
		return fmt.Errorf("cannot share worker ids: %w", err)
	}
	h.atClose(func() { _ = engine.Close() })
	h.world.Places = &supervisor.Places{Engine: engine, Group: c.Group, Home: h.home(), KeepIDs: c.KeepIDs, Clock: remote.Boottime{}}
	return nil
}

// openLocal is for the supervisors of this machine.
func (h *Host) openLocal(c plan.Coordination) (lease.Engine, error) {
	dir := c.Directory
	if dir == "" {
		dir = placesDir()
	}
	return local.New(local.Config{Dir: dir, Who: h.who()})
}

// openEtcd is for those of several machines. Nobody needs to answer yet, and after an upgrade the session goes on.
func (h *Host) openEtcd(c plan.Coordination) (lease.Engine, error) {
	var before remote.Saved
	if h.doc != nil && h.doc.Places != nil {
		before = *h.doc.Places
	}
	cfg := etcdConfig(c)
	cfg.Engine.Who, cfg.Engine.Resume, cfg.Engine.Notify = h.who(), before, h.heard
	engine, err := etcd.New(cfg)
	if err != nil {
		return nil, err
	}
	h.places = engine
	return engine, nil
}

func etcdConfig(c plan.Coordination) etcd.Config {
	e := c.Etcd
	return etcd.Config{
		Endpoints: e.Endpoints, Prefix: e.Prefix, CA: e.CA, Cert: e.Cert, Key: e.Key, User: e.User, PasswordFile: e.PasswordFile,
		Engine: remote.Config{Lease: c.Lease},
	}
}

// checkPlaces reports what would keep another program from what is shared: a file that is not there any more, for example.
func checkPlaces(c plan.Coordination) error {
	if len(c.Etcd.Endpoints) == 0 {
		return nil
	}
	if err := etcdConfig(c).Check(); err != nil {
		return fmt.Errorf("cannot share worker ids: %w", err)
	}
	return nil
}

// heard passes on what the engine says. What it said before there is a supervisor, that finds by itself.
func (h *Host) heard(n lease.Notice) {
	if sup := h.sup.Load(); sup != nil {
		sup.Heard(n)
	}
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
	process := fmt.Sprintf(", process %d", os.Getpid())
	home := h.home()
	return home[:min(len(home), lease.MaxWho-len(process))] + process
}

// home is the part of it that stays when the supervisor is started anew.
func (h *Host) home() string {
	machine, err := os.Hostname()
	if err != nil {
		machine = "this machine"
	}
	return h.opt.Name + " on " + machine
}
