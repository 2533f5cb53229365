package worker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// TmpDir is one worker's own directory for temporary files. Other users cannot look
// into it; workers of the same user can, and it is in no mount namespace: what asks
// for /tmp by name gets the one of the system.
type TmpDir struct {
	dirs *TmpDirs
	base *tmpBase
	name string
}

// Path is where it is, or will be.
func (d *TmpDir) Path() string { return filepath.Join(d.base.path, d.name) }

// Make makes it, for another user if as is not nil, as the start of a process with it
// does. Nil is none.
func (d *TmpDir) Make(as *Identity) error {
	if d == nil {
		return nil
	}
	root, err := d.dirs.enter(d.base)
	if err != nil {
		return err
	}
	if err := root.Mkdir(d.name, 0o700); err != nil {
		return err
	}
	// Whatever the mask of the supervisor is; and before somebody else owns it.
	if err := root.Chmod(d.name, 0o700); err != nil || as == nil {
		return err
	}
	return root.Lchown(d.name, int(as.UID), int(as.GID))
}

// Remove removes it with all that is in it, if it was made. The caller has seen the
// end of the last process that uses it, and calls it once. It does not block: see
// TmpDirs.Close.
func (d *TmpDir) Remove() {
	d.dirs.leaves(d)
	d.dirs.removals.Go(func() {
		d.dirs.turns <- struct{}{}
		defer func() { <-d.dirs.turns }()
		defer d.dirs.left(d)
		root := d.base.root()
		if root == nil {
			return
		}
		// It is closed when somebody has cleaned up meanwhile.
		if err := removeAll(root, d.name); err != nil && !errors.Is(err, os.ErrClosed) {
			d.dirs.report(fmt.Errorf("cannot remove temporary files %s: %w", d.Path(), err))
		}
	})
}

// tmpEnviron are the variables by which programs find it: POSIX has the first, others
// look for one of the rest.
func tmpEnviron(path string) []Var { return []Var{{"TMPDIR", path}, {"TMP", path}, {"TEMP", path}} }
