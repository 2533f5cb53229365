package units

import (
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/worker"
)

// firstPort is the default of net.ipv4.ip_unprivileged_port_start.
const firstPort = 1024

const (
	capBind = "CAP_NET_BIND_SERVICE"
	// switching is what a root needs that makes others of its workers: to become them, to signal them, to give them the
	// pipes of their output, and to see in /proc that they wait on their socket.
	switching = "CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_SYS_PTRACE"
	// looking is for programs, directories and files that only their user may look into.
	looking = "CAP_DAC_READ_SEARCH"
	// dressing is that, and what it takes to make a unix socket in a folder of somebody else's, and to set its mode when
	// it has another owner.
	dressing = "CAP_DAC_OVERRIDE CAP_FOWNER"
)

// lowPort finds a listener for which brood or its workers open a port that needs a capability.
func (d *draft) lowPort() string {
	for _, l := range d.own() {
		if a := l.Address; a.Network != networkUnix && a.Port > 0 && a.Port < firstPort {
			return l.Name
		}
	}
	return ""
}

// capabilities bounds what brood and all its workers can ever do.
func (d *draft) capabilities(u *unit) {
	low := d.lowPort()
	switch {
	case d.as.switches:
		caps := switching + " " + looking
		if slices.ContainsFunc(d.own(), func(l *config.Listener) bool {
			return l.Address.Network == networkUnix && !strings.HasPrefix(l.Address.Path, "@")
		}) {
			caps = switching + " " + dressing
		}
		if low != "" {
			caps += " " + capBind
		}
		caps = d.withSettings(caps)
		u.why("To become its workers' users, signal them, give them their pipes, see their files, and see when they are ready.")
		u.set("CapabilityBoundingSet", caps)
	case d.as.user == "":
		u.why("No bound of capabilities: workers that are root may need any. A user for each pool would do without.")
	case low != "":
		u.why("Listener %s opens a port below %d.", low, firstPort)
		caps := d.withSettings(capBind)
		u.set("AmbientCapabilities", caps)
		u.set("CapabilityBoundingSet", caps)
	default:
		caps := d.withSettings("")
		if caps != "" {
			u.why("For what [pool.NAME.process] says.")
			u.set("AmbientCapabilities", caps)
		}
		u.set("CapabilityBoundingSet", caps)
	}
}

// withSettings adds what [pool.NAME.process] needs: what workers keep brood must have, and what they do not keep it must
// be able to take away.
func (d *draft) withSettings(caps string) string {
	all := strings.Fields(caps)
	add := func(name string) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	for i := range d.cfg.Pools {
		s := &d.cfg.Pools[i].Settings
		if s.Nice != nil && *s.Nice < 0 || s.IOPriority != nil && s.IOPriority.Class == worker.IORealtime {
			add("CAP_SYS_NICE")
		}
		if s.OOMScoreAdj != nil && *s.OOMScoreAdj < 0 {
			add("CAP_SYS_RESOURCE")
		}
		if s.Capabilities != nil {
			for _, name := range s.Capabilities.Names() {
				add("CAP_" + name)
			}
		}
	}
	for i := range d.cfg.Pools {
		if kept := d.cfg.Pools[i].Settings.Capabilities; kept != nil && len(kept.Names()) < len(all) {
			add("CAP_SETPCAP")
		}
	}
	return strings.Join(all, " ")
}
