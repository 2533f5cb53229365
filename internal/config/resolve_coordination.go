package config

import (
	"path/filepath"
	"regexp"

	"github.com/broodctl/brood/supervisor/plan"
)

// groupName has no dot, so that the name of a group and that of a pool together are those of no other two.
var groupName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$`)

// lastSharedID is the last worker id of a fleet, where the pool says no others.
const lastSharedID = 1023

// shares reports whether worker ids and leaders are shared with other supervisors.
func (r *resolver) shares() bool {
	return r.file.Coordination.Group != "" || r.doc != nil && r.says("coordination")
}

// coordination reads [coordination].
func (r *resolver) coordination(t CoordinationTable) {
	if !r.shares() {
		return
	}
	const table = "coordination"
	switch key := under(table, "group"); {
	case t.Group == "" && !r.says(key):
		r.bad(table, "write group = "+quote("web")+": all who share say the same", "coordination has no group")
	case !groupName.MatchString(t.Group):
		r.bad(key, "", "cannot call a group %q: use up to 48 letters, digits, and - _", t.Group)
	}
	if key := under(table, "directory"); t.Directory != "" && !filepath.IsAbs(t.Directory) {
		r.bad(key, "", "cannot read directory %q: the path is not absolute", t.Directory)
	}
	r.cfg.Coordination = plan.Coordination{Group: t.Group, Directory: t.Directory}
}
