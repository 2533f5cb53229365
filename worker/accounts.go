package worker

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// accounts are the files of passwd(5) and group(5).
//
// They are read here and not by a library for two reasons. os/user asks the C
// library where the program was built with it, and tells no shell. Parsers that
// take an unreadable number for 0 would make a worker root by a typing mistake.
type accounts struct{ passwd, group string }

type userEntry struct {
	name, home, shell string
	uid, gid          uint32
}

type groupEntry struct {
	name    string
	gid     uint32
	members []string
}

// user finds a name or, if no name is like that, a number.
func (a accounts) user(who string) (found userEntry, known bool, err error) {
	number, isNumber := parseID(who)
	var byNumber bool
	err = eachLine(a.passwd, func(fields []string) (bool, error) {
		if len(fields) < 7 || fields[0] == "" || known {
			return true, nil
		}
		uid, ok1 := parseID(fields[2])
		gid, ok2 := parseID(fields[3])
		named := fields[0] == who
		switch {
		case named && !(ok1 && ok2):
			return false, fmt.Errorf("user %s has no valid numbers", who)
		case !ok1 || !ok2 || !named && (byNumber || !isNumber || uid != number):
			return true, nil
		}
		found = userEntry{name: fields[0], uid: uid, gid: gid, home: fields[5], shell: fields[6]}
		byNumber, known = !named, named
		return !named, nil
	})
	return found, known || byNumber, err
}

// groups are all that have a valid number.
func (a accounts) groups() ([]groupEntry, error) {
	var all []groupEntry
	err := eachLine(a.group, func(fields []string) (bool, error) {
		if len(fields) < 4 || fields[0] == "" {
			return true, nil
		}
		if gid, ok := parseID(fields[2]); ok {
			all = append(all, groupEntry{name: fields[0], gid: gid, members: strings.Split(fields[3], ",")})
		}
		return true, nil
	})
	return all, err
}

// eachLine calls do for the fields of each line until it says no. A missing file
// has no lines: images of containers with one program often have none.
func eachLine(path string, do func(fields []string) (bool, error)) error {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot look up accounts: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // a group can have many members
	for lines.Scan() {
		more, err := do(strings.Split(strings.TrimSpace(lines.Text()), ":"))
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", path, err)
		}
		if !more {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cannot read %s: %w", path, err)
	}
	return nil
}

// parseID refuses what setresuid(2) takes for "unchanged".
func parseID(text string) (uint32, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err == nil && n != 1<<32-1
}
