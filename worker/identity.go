package worker

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A worker that shall run as somebody else takes one call between its recipe and its command:
//
//	made, err := recipe.Build(facts)
//	as, err := made.Identify() // nil if the user asked for nobody else
//	cmd := worker.Command{Argv: made.Argv, Env: made.Env, Dir: made.Dir, As: as}
//
// and, if as is not nil, notify.Trust(as.UID) and the gift of its output pipes. Names are looked up anew for each
// worker: an account that an administrator has changed takes effect with the next start.

// Identity is as whom a worker runs: numbers, as the kernel wants them. To take on
// another one needs CAP_SETUID and CAP_SETGID.
type Identity struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups, all of them

	// Name is for messages, and with Home and Shell for the environment. They are empty where /etc/passwd does not
	// know them, or when the worker stays the supervisor's user.
	Name, Home, Shell string
}

// String is how messages call it.
func (id *Identity) String() string {
	if id.Name != "" {
		return id.Name
	}
	return strconv.FormatUint(uint64(id.UID), 10)
}

// UnknownAccountError says that a user or group is not in the file where it was looked up.
type UnknownAccountError struct {
	Kind string // "user" or "group"
	Name string
	File string
}

func (e *UnknownAccountError) Error() string {
	return fmt.Sprintf("there is no %s %s in %s", e.Kind, e.Name, e.File)
}

// ResolveIdentity finds a user and groups, names or numbers, in /etc/passwd and /etc/group, as User=, Group= and
// SupplementaryGroups= of systemd.exec(5) do. It returns nil if all are empty: nothing changes then.
//
//   - A user alone brings its primary group.
//   - A user brings the supplementary groups that list it; groups come in addition.
//   - A number that /etc/passwd does not know is all right if a group is given, and has no groups but the given ones.
//   - A group that is a number need not be known.
//   - Without a user it is the supervisor's, with the group in place of its own.
//
// Other sources of accounts (LDAP, systemd-homed) are not asked: what runs services is local, and a supervisor must not
// wait for a network. An error is an *UnknownAccountError, or says what is wrong with the file.
func ResolveIdentity(user, group string, groups []string) (*Identity, error) {
	return accounts{passwd: "/etc/passwd", group: "/etc/group"}.resolve(user, group, groups)
}

func (a accounts) resolve(user, group string, groups []string) (*Identity, error) {
	if user == "" && group == "" && len(groups) == 0 {
		return nil, nil //nolint:nilnil // nobody else is an answer
	}
	id := &Identity{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	who := user
	if who == "" {
		who = strconv.Itoa(os.Geteuid())
	}
	entry, known, err := a.user(who)
	number, isNumber := parseID(who)
	switch {
	case err != nil:
		return nil, err
	case known && user != "":
		*id = Identity{UID: entry.uid, GID: entry.gid, Name: entry.name, Home: entry.home, Shell: entry.shell}
	case user == "": // the supervisor's own, known or not
	case !isNumber:
		return nil, fmt.Errorf("cannot run as user %s: %w", user, &UnknownAccountError{"user", user, a.passwd})
	case group == "":
		return nil, fmt.Errorf("cannot run as user %s without a group: %w", user, &UnknownAccountError{"user", user, a.passwd})
	default:
		id.UID = number
	}
	all, err := a.groups()
	if err != nil {
		return nil, err
	}
	if group != "" {
		if id.GID, err = a.groupID(all, group); err != nil {
			return nil, err
		}
	}
	id.Groups = []uint32{id.GID} // as initgroups(3) has it
	for _, g := range all {
		if known && slices.Contains(g.members, entry.name) {
			id.Groups = append(id.Groups, g.gid)
		}
	}
	for _, name := range groups {
		gid, err := a.groupID(all, name)
		if err != nil {
			return nil, err
		}
		id.Groups = append(id.Groups, gid)
	}
	slices.Sort(id.Groups)
	id.Groups = slices.Compact(id.Groups)
	return id, nil
}

func (a accounts) groupID(all []groupEntry, name string) (uint32, error) {
	for _, g := range all {
		if g.name == name {
			return g.gid, nil
		}
	}
	if gid, ok := parseID(name); ok {
		return gid, nil
	}
	return 0, fmt.Errorf("cannot run as group %s: %w", name, &UnknownAccountError{"group", name, a.group})
}

// Identify resolves User, Group and Groups. If there is a User, it puts USER, LOGNAME, HOME and SHELL into Env in place
// of the inherited ones, as systemd.exec(5) does; what the recipe sets stays. What is not known (or is no shell to log
// in with) is left out: the supervisor's own would be wrong. It reads files, and may be called again.
func (b *Rendered) Identify() (*Identity, error) {
	id, err := ResolveIdentity(b.User, b.Group, b.Groups)
	if err != nil || id == nil || b.User == "" {
		return id, err
	}
	b.Env, b.inherited = id.environ(b.Env, b.inherited)
	return id, nil
}

// environ replaces, among the first variables of env, those that belong to the user.
func (id *Identity) environ(env []string, inherited int) (changed []string, stillInherited int) {
	shell := id.Shell
	if strings.HasSuffix(shell, "/nologin") || strings.HasSuffix(shell, "/false") {
		shell = ""
	}
	own := []Var{{"USER", id.Name}, {"LOGNAME", id.Name}, {"HOME", id.Home}, {"SHELL", shell}}
	set := func(vars []string, name string) bool {
		return slices.ContainsFunc(vars, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	for _, v := range env[:inherited] {
		name, _, _ := strings.Cut(v, "=")
		if !slices.ContainsFunc(own, func(o Var) bool { return o.Name == name }) {
			changed = append(changed, v)
		}
	}
	stillInherited = len(changed)
	for _, v := range own {
		if v.Value != "" && !set(env[inherited:], v.Name) {
			changed = append(changed, v.Name+"="+v.Value)
		}
	}
	return append(changed, env[inherited:]...), stillInherited
}
