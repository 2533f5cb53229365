package control

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Everywhere lists the sockets of all users of this machine, sorted, as far as this one may look: those of [Find] and
// those in the runtime directories of others. denied are the directories of
// supervisors that he may not read.
func Everywhere(getenv func(string) string, uid int) (found []string, denied []*DeniedError) {
	found, denied = Find(getenv, uid, "")
	for _, pattern := range []string{
		"/run/user/*/brood/*" + suffix,
		filepath.Join(os.TempDir(), "brood-[0-9]*", "*"+suffix),
	} {
		more, err := filepath.Glob(pattern) // what may not be read has no match
		if err == nil {
			found = append(found, more...)
		}
	}
	others, err := filepath.Glob(filepath.Join(os.TempDir(), "brood-[0-9]*"))
	if err != nil {
		others = nil
	}
	for _, dir := range others {
		known := slices.ContainsFunc(denied, func(no *DeniedError) bool { return no.Path == dir })
		if _, err := os.ReadDir(dir); errors.Is(err, fs.ErrPermission) && !known {
			denied = append(denied, &DeniedError{Path: dir, Err: err})
		}
	}
	slices.Sort(found)
	return slices.Compact(found), denied
}
