package units

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/worker"
)

// account is as whom the service runs.
type account struct {
	user, group string   // user is "" for root
	groups      []string // supplementary ones
	// switches: brood is root and makes each worker another user. Otherwise all of it is one user.
	switches bool
	why      string // root, if it is
}

// account decides. Root is the last choice: it is taken where pools have several users, or none.
func (d *draft) account() account {
	first := ownerOf(&d.cfg.Pools[0].Recipe)
	same := true
	for i := range d.cfg.Pools {
		p := &d.cfg.Pools[i]
		o := ownerOf(&p.Recipe)
		if o.user == "" {
			return account{why: "Pool " + p.Name + " names no other user, so that its workers are root."}
		}
		same = same && o.user == first.user && o.group == first.group && slices.Equal(o.groups, first.groups)
	}
	switch {
	case !same:
		return account{switches: true, why: "The pools have different users: brood is root, and makes each worker what its pool says."}
	case strings.Contains(first.user+first.group, "{{"):
		return account{switches: true, why: "Each worker has a user of its own, so that brood is root."}
	}
	if why := d.needsRoot(first); why != "" {
		return account{switches: true, why: why}
	}
	return first
}

// ownerOf is as whom the workers of a recipe run.
func ownerOf(r *worker.RecipeConfig) account {
	if r.User == "root" || r.User == "0" {
		return account{}
	}
	return account{user: r.User, group: r.Group, groups: r.Groups}
}

// needsRoot says why brood itself could not run as the one user that all pools have.
func (d *draft) needsRoot(as account) string {
	for _, l := range d.own() {
		a := l.Address
		switch {
		case a.Network != networkUnix:
		case l.Owner != "" && l.Owner != as.user, l.Group != "" && l.Group != as.group && !slices.Contains(as.groups, l.Group):
			return "Listener " + l.Name + " belongs to somebody else than the workers; only root can give a file away."
		case runtimeOf(a.Path) == ".":
			return "Listener " + l.Name + " lies in /run itself, where only root may make a socket."
		}
	}
	return ""
}

// own are the listeners that brood opens by itself.
func (d *draft) own() []*config.Listener {
	var all []*config.Listener
	for i := range d.cfg.Listeners {
		l := &d.cfg.Listeners[i]
		if l.Address.Network != networkSystemd && !d.passed(l) {
			all = append(all, l)
		}
	}
	return all
}

// runtimeOf is the folder of a path relative to /run, "." for /run itself, "" if it is elsewhere.
func runtimeOf(path string) string {
	dir := filepath.Dir(filepath.Clean(path))
	if rest, ok := strings.CutPrefix(dir, "/var/run"); ok {
		dir = "/run" + rest
	}
	switch rest, ok := strings.CutPrefix(dir, "/run/"); {
	case dir == "/run":
		return "."
	case ok:
		return rest
	}
	return ""
}

const (
	networkTCP     = "tcp"
	networkUDP     = "udp"
	networkUnix    = "unix"
	networkSystemd = "systemd"
)
