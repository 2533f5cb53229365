package units

import "strings"

// runAs says whose the processes are.
func (d *draft) runAs(u *unit) {
	if d.as.why != "" {
		u.why("%s", d.as.why)
	}
	if d.as.user != "" {
		u.set("User", d.value("user", d.as.user))
		if d.as.group != "" {
			u.set("Group", d.value("group", d.as.group))
		}
		if len(d.as.groups) > 0 {
			u.set("SupplementaryGroups", d.value("groups", strings.Join(d.as.groups, " ")))
		}
	}
	d.capabilities(u)
}

// hardening is what ordinary servers can live with, as in the unit of contrib, whose README.md says what is left out.
func (d *draft) hardening(u *unit) {
	u.why("Every worker inherits these.")
	u.set("NoNewPrivileges", "yes")
	if who := d.inTemporary(); who != "" {
		u.why("No PrivateTmp: %s has to be found by others.", who)
	} else {
		u.set("PrivateTmp", "yes")
	}
	u.set("ProtectSystem", "full")
	if who := d.inHome(); who != "" {
		u.why("No ProtectHome: %s is there.", who)
	} else {
		u.set("ProtectHome", "read-only")
	}
	for _, key := range []string{
		"ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectClock",
		"ProtectHostname", "RestrictSUIDSGID", "RestrictRealtime", "LockPersonality",
	} {
		u.set(key, "yes")
	}
}
