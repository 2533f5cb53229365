package control

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// permission is what a client may do.
type permission uint8

// The zero value is what most requests need.
const (
	mayWrite  permission = iota // ask for everything
	mayRead                     // look, and change nothing
	mayGlance                   // the same, but not at what workers wrote
	mayNothing
)

func (p permission) includes(needed permission) bool { return p <= needed }

// Access says who may use the socket beside root and the supervisor's own user, who may do everything. A nil list is the
// default: for Write the members of the socket's group, for Read nobody else.
type Access struct {
	Read  *Grant
	Write *Grant
}

// Grant is a list of users and groups, by number.
type Grant struct {
	UIDs []int
	GIDs []int
}

// ParseGrant reads users, "deploy" or "1000", and groups, "@ops" or "@1000". lookup finds the number of a name.
func ParseGrant(words []string, lookup func(name string, isGroup bool) (int, error)) (*Grant, error) {
	var g Grant
	for _, word := range words {
		name, isGroup := strings.CutPrefix(word, "@")
		if name == "" {
			return nil, fmt.Errorf("cannot grant access to %q: write a user, or a group as @NAME", word)
		}
		id, err := 0, error(nil)
		if number, bad := strconv.ParseUint(name, 10, 31); bad == nil {
			id = int(number)
		} else {
			id, err = lookup(name, isGroup)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("cannot grant access to %q: %w", word, err)
		case isGroup:
			g.GIDs = append(g.GIDs, id)
		default:
			g.UIDs = append(g.UIDs, id)
		}
	}
	return &g, nil
}

func (g *Grant) includes(who caller) bool {
	return slices.Contains(g.UIDs, who.uid) || slices.Contains(g.GIDs, who.gid) ||
		slices.ContainsFunc(who.groups, func(gid int) bool { return slices.Contains(g.GIDs, gid) })
}

// isOpen reports whether users who are not in the socket's group may connect.
func (a Access) isOpen() bool { return a.Read != nil || a.Write != nil }
