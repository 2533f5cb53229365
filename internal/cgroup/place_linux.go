package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// place is the group that we may make others in, and what we may do there.
type place struct {
	dir   string
	path  string // as the kernel names it
	root  bool   // of the whole hierarchy: processes may stay, and others have a right to be here
	moved bool   // we are in its leaf already
	alone bool   // no process is in it but ours
	v1    []string
	// undelegated says why no controller may be handed down; nil if some may.
	undelegated *Missing
}

// findPlace looks where we are. The error is a *Missing if nothing can be had here.
func findPlace(proc string) (*place, error) {
	mountinfo, err := read(filepath.Join(proc, "self/mountinfo"))
	if err != nil {
		return nil, err
	}
	groups, err := read(filepath.Join(proc, "self/cgroup"))
	if err != nil {
		return nil, err
	}
	member, mounts := parseMembership(groups), parseMounts(mountinfo)
	switch {
	case len(mounts) == 0:
		return nil, &Missing{What: "a mount of cgroup v2"}
	case member.path == "":
		return nil, &Missing{What: "a group of cgroup v2", Why: "this process is in none"}
	}
	p := &place{path: member.path, v1: member.v1}
	if err := p.locate(mounts); err != nil {
		return nil, err
	}
	return p, p.judge()
}

// locate finds our directory, in a mount that can be written to if there is one.
func (p *place) locate(mounts []mount) error {
	for _, m := range mounts {
		dir, ok := m.dir(p.path)
		if !ok || m.readOnly || unix.Access(dir, unix.F_OK) != nil {
			continue
		}
		p.dir = dir
		return nil
	}
	for _, m := range mounts {
		if _, ok := m.dir(p.path); ok && m.readOnly {
			return &Missing{
				What: "a writable mount of cgroup v2", Why: m.point + " is read-only",
				Hint: "no ProtectControlGroups= in the unit of brood; a container has to be given it",
			}
		}
	}
	return &Missing{What: "the group " + p.path, Why: "no mount of cgroup v2 shows it"}
}

// judge finds out what we may do in the group that we are in, or in its parent if somebody has put us into a leaf: an
// earlier program of this process, or DelegateSubgroup=supervisor.
func (p *place) judge() error {
	if parent := filepath.Dir(p.dir); filepath.Base(p.path) == leafName && delegated(parent) && members(parent) == "" {
		p.dir, p.path, p.moved = parent, filepath.Dir(p.path), true
	}
	// The second is asked for when processes move, or are born, from one group below to another.
	for _, path := range [...]string{p.dir, filepath.Join(p.dir, "cgroup.procs")} {
		if err := unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS); err != nil {
			return &Missing{What: "delegation of the group " + p.path, Why: err.Error(), Hint: hintDelegate}
		}
	}
	// The file is in every group but the root.
	p.root = unix.Access(filepath.Join(p.dir, "cgroup.type"), unix.F_OK) != nil
	p.alone = p.moved || members(p.dir) == strconv.Itoa(os.Getpid())+"\n"
	switch {
	case p.root:
	case !delegated(p.dir):
		p.undelegated = &Missing{Why: "the group " + p.path + " is not delegated", Hint: hintDelegate}
	case !p.alone:
		p.undelegated = &Missing{Why: "others are in the group " + p.path + " as well", Hint: hintDelegate}
	}
	return nil
}

// delegated reports whether the controllers of a group are ours to hand down. Where systemd manages a unit, it must have
// said so: it starts other processes of the unit in its group, such as those of ExecReload=, which the kernel refuses as
// soon as the group hands controllers down.
func delegated(dir string) bool {
	for _, mark := range [...]string{"user.delegate", "trusted.delegate"} {
		var value [1]byte
		if n, err := unix.Getxattr(dir, mark, value[:]); err == nil && n == 1 && value[0] == '1' {
			return true
		}
	}
	if os.Geteuid() == 0 {
		return !isUnit(filepath.Base(dir))
	}
	// Older ones than systemd 251 mark it in a way that only root can read. They give it to User= as well, and not what
	// it is in. Within the tree of a user's own manager both belong to the user, which says nothing.
	return isOurs(dir) && !isOurs(filepath.Dir(dir))
}

func isOurs(dir string) bool {
	var st unix.Stat_t
	return unix.Stat(dir, &st) == nil && st.Uid == uint32(os.Geteuid())
}

// members are the numbers of a group's processes, one a line. Those of another namespace are 0.
func members(dir string) string {
	text, _ := read(filepath.Join(dir, "cgroup.procs"))
	return text
}

// lacks says why a controller cannot be had; nil if it can. has are those of the group.
func (p *place) lacks(controller string, has []string) *Missing {
	if slices.Contains(has, controller) {
		return nil
	}
	m := &Missing{What: "the " + controller + " controller"}
	switch {
	case boundToV1(p.v1, controller):
		m.Why = "it is bound to cgroup v1"
		m.Hint = "boot with systemd.unified_cgroup_hierarchy=1"
	case p.undelegated != nil:
		m.Why, m.Hint = p.undelegated.Why, p.undelegated.Hint
	default:
		m.Why = "the group " + p.path + " was not given it"
	}
	return m
}

// boundToV1 reports whether version 1 has a controller, which is called blkio there if it is that of I/O.
func boundToV1(v1 []string, controller string) bool {
	for _, name := range v1 {
		if name == controller || controller == ctlIO && name == "blkio" {
			return true
		}
	}
	return false
}

// listed are the words of a file such as cgroup.controllers.
func listed(dir, file string) []string {
	text, _ := read(filepath.Join(dir, file))
	return strings.Fields(text)
}
