package units

import (
	"fmt"
	"path/filepath"
	"strings"
)

// runtimeDirectory is where brood puts its control socket by itself.
const runtimeDirectory = "brood"

// places says where brood finds and leaves files.
func (d *draft) places(u *unit) {
	u.set("WorkingDirectory", d.value("directory", filepath.Dir(d.cfg.Path)))
	u.why("For the control socket. It stays: other services of brood, and sockets of systemd's, may have theirs there.")
	u.set("RuntimeDirectory", runtimeDirectory)
	u.set("RuntimeDirectoryPreserve", "yes")
	for _, name := range d.opt.Credentials {
		if strings.ContainsAny(name, `\/: `) {
			d.errs = append(d.errs, fmt.Errorf("credential %q: there is a blank, a slash, a backslash or a colon in it: %w", name, ErrExpress))
			continue
		}
		name = d.value("credential", name)
		u.set("LoadCredential", name+":/etc/credstore/"+name)
	}
	if len(d.opt.Credentials) > 0 {
		d.note("the credentials belong into /etc/credstore, readable by root alone: %s", strings.Join(d.opt.Credentials, ", "))
	}
	for _, l := range d.own() {
		if a := l.Address; a.Network == networkUnix && !strings.HasPrefix(a.Path, "@") {
			d.noteFolder("listener "+l.Name, a.Path)
		}
	}
	if d.cfg.Control != "" {
		d.noteFolder("the control socket", d.cfg.Control)
	}
}

// noteFolder says what the unit cannot promise: that the service finds a folder that it may write in.
func (d *draft) noteFolder(what, path string) {
	switch runtimeOf(path) {
	case runtimeDirectory:
		return
	case ".":
		if d.as.user == "" {
			return
		}
	}
	who := ""
	if d.as.user != "" {
		who = ", and " + d.as.user + " has to be allowed to write in it"
	}
	d.note("%s is in %s, which has to be there when the service starts%s; see tmpfiles.d(5)", what, filepath.Dir(path), who)
}

// inTemporary finds a socket that others look for in a folder that PrivateTmp= would hide from them, and inHome one that
// ProtectHome= would not let us make.
func (d *draft) inTemporary() string { return d.socketBelow("/tmp", "/var/tmp") }
func (d *draft) inHome() string      { return d.socketBelow("/home", "/root", "/run/user") }

func (d *draft) socketBelow(folders ...string) string {
	below := func(path string) bool {
		for _, f := range folders {
			if strings.HasPrefix(filepath.Clean(path), f+"/") {
				return true
			}
		}
		return false
	}
	for _, l := range d.own() {
		if l.Address.Network == networkUnix && below(l.Address.Path) {
			return "listener " + l.Name
		}
	}
	if below(d.cfg.Control) {
		return "the control socket"
	}
	return ""
}
