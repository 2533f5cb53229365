package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrName is in the chain of the errors about a supervisor's name.
var ErrName = errors.New("bad name")

// CheckName reports whether a supervisor may be called so: its name is part of a path and of log lines.
func CheckName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("cannot call a supervisor %q: %w: use up to 64 letters, digits, and - _ . @", name, ErrName)
	}
	return nil
}

// DefaultPath is where a supervisor of this name puts its socket: the unit's RuntimeDirectory= under systemd,
// /run/brood for root, the user's runtime directory, or a private directory below the temporary one.
func DefaultPath(getenv func(string) string, uid int, name string) string {
	dir, _, _ := strings.Cut(getenv("RUNTIME_DIRECTORY"), ":")
	switch {
	case dir != "":
	case uid == 0:
		dir = rootDir
	case getenv("XDG_RUNTIME_DIR") != "":
		dir = filepath.Join(getenv("XDG_RUNTIME_DIR"), "brood")
	default:
		dir = privateDir(uid)
	}
	return filepath.Join(dir, name+suffix)
}

const (
	rootDir = "/run/brood"
	suffix  = ".sock"
)

func privateDir(uid int) string { return filepath.Join(os.TempDir(), "brood-"+strconv.Itoa(uid)) }

// Find lists the sockets that a client of this user may mean, by name if there is one. What is listed may be dead, or
// closed to the user. denied are the directories in which he may not look for sockets of unknown name.
func Find(getenv func(string) string, uid int, name string) (found []string, denied []*DeniedError) {
	dirs := []string{rootDir, privateDir(uid)}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = slices.Insert(dirs, 0, filepath.Join(dir, "brood"))
	}
	for _, dir := range dirs {
		if name != "" {
			path := filepath.Join(dir, name+suffix)
			if _, err := os.Lstat(path); err == nil || errors.Is(err, fs.ErrPermission) {
				found = append(found, path)
			}
			continue
		}
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrPermission) {
			denied = append(denied, &DeniedError{Path: dir, Err: err})
		}
		for _, entry := range entries {
			if strings.HasSuffix(entry.Name(), suffix) {
				found = append(found, filepath.Join(dir, entry.Name()))
			}
		}
	}
	return found, denied
}

// Name is the supervisor's name as the socket's path has it.
func Name(path string) string { return strings.TrimSuffix(filepath.Base(path), suffix) }
