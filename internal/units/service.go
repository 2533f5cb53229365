package units

import (
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/config"
)

// service writes the unit of brood itself. The sockets come first: it names them.
func (d *draft) service() File {
	u := &unit{}
	d.head(u)
	u.section("Unit")
	u.set("Description", "brood: the workers of "+poolNames(d.cfg))
	u.set("Documentation", "https://github.com/broodctl/brood")
	if slices.ContainsFunc(d.own(), func(l *config.Listener) bool { return placed(l.Address) }) {
		u.why("An address of one interface can be bound when it is there.")
		u.set("Wants", "network-online.target")
		u.set("After", "network-online.target")
	} else {
		u.set("After", "network.target")
	}

	u.section("Service")
	d.calls(u)
	d.places(u)
	u.gap()
	d.runAs(u)
	u.gap()
	d.patience(u)
	u.gap()
	d.limits(u)
	u.why("A worker killed for its memory is brood's to replace; the default would stop the whole service.")
	u.set("OOMPolicy", "continue")
	d.delegation(u)
	u.gap()
	d.hardening(u)

	u.section("Install")
	u.set("WantedBy", "multi-user.target")
	return File{Name: d.unitName(".service"), Text: u.text.String()}
}

// calls says how brood is called.
func (d *draft) calls(u *unit) {
	binary := d.keep("program", d.opt.Binary, program)
	u.why("Active when every slot is ready. Only brood speaks to systemd: workers have a socket of their own.")
	if d.opt.NotifyReload {
		u.why("systemd 253 or newer sends HUP and waits for the end of the reload; how it went is in the status.")
		u.set("Type", "notify-reload")
	} else {
		u.set("Type", "notify")
	}
	u.set("NotifyAccess", "main")
	u.set("ExecStart", binary+" run -c "+d.word("path", d.cfg.Path))
	if !d.opt.NotifyReload {
		wait := longest
		if start := startTime(d.cfg); start > 0 {
			wait = start - wordsFirst
		}
		target := "--name " + d.word("name", d.cfg.Name)
		if d.cfg.Control != "" {
			target = "--control " + d.word("path", d.cfg.Control)
		}
		u.why("Waits for the end, and fails when the reload does: a HUP would succeed whatever comes of it.")
		u.set("ExecReload", binary+" reload "+target+" --timeout "+seconds(wait)+"s")
	}
	if len(d.names) > 0 {
		u.why("Handed over also when the service is started by hand.")
	}
	for _, name := range d.names {
		u.set("Sockets", name)
	}
}

// patience says what systemd waits for, and what it does then.
func (d *draft) patience(u *unit) {
	u.set("Restart", "on-failure")
	u.set("RestartSec", 1)
	u.why("A bad configuration does not get better by another try.")
	u.set("RestartPreventExitStatus", exitConfig)
	u.why("For the longest chain of pools that start one after another, and for a reload.")
	u.set("TimeoutStartSec", seconds(startTime(d.cfg)))
	if d.cfg.StopTimeout > 0 {
		u.why("stop_timeout of the configuration.")
	} else {
		u.why("For the longest chain of pools that stop one after another, each with its delay, settle and grace.")
	}
	u.set("TimeoutStopSec", seconds(stopTime(d.cfg)))
	u.why("TERM goes to brood alone, which drains its workers in order.")
	u.set("KillMode", "mixed")
	d.keeping(u)
	u.set("WatchdogSec", 20)
}

// exitConfig is brood's exit code for a bad configuration, EX_CONFIG of sysexits.h.
const exitConfig = 78

func poolNames(cfg *config.Config) string {
	var names []string
	for i := range cfg.Pools {
		names = append(names, strings.ReplaceAll(cfg.Pools[i].Name, "%", "%%"))
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return names[0]
}
