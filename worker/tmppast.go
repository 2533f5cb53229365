package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clear removes what supervisors of our name have left. What is still used is looked
// at a second time: who was killed with his supervisor may be dying yet.
func (t *TmpDirs) clear() {
	defer t.hasCleared()
	if t.clearUnused() {
		return
	}
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-t.closing:
	}
	t.clearUnused()
}

func (t *TmpDirs) hasCleared() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clearing = cleared
}

// clearUnused tells whether there is nothing left that is used.
func (t *TmpDirs) clearUnused() bool {
	t.turns <- struct{}{}
	defer func() { <-t.turns }()
	entries, err := os.ReadDir(t.parent)
	if err != nil {
		t.report(fmt.Errorf("cannot look for old temporary files: %w", err))
		return true
	}
	all := true
	for _, entry := range entries {
		number, ours := strings.CutPrefix(entry.Name(), t.prefix)
		if _, err := strconv.ParseUint(number, 10, 64); !ours || err != nil {
			continue
		}
		err := clearBase(filepath.Join(t.parent, entry.Name()))
		if errors.Is(err, errUsed) {
			all = false
		} else if err != nil {
			t.report(fmt.Errorf("cannot remove old temporary files: %w", err))
		}
	}
	return all
}

var errUsed = errors.New("a process has its temporary files there")

// clearBase removes a base that nobody has any more.
func clearBase(path string) error {
	base, err := hold(path, syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil // somebody has it, and that may be ourselves
	}
	defer base.close()
	used, err := isTemporaryOf(path)
	if err != nil {
		return err
	}
	if used {
		return errUsed
	}
	names, err := base.lock.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := removeAll(base.root, name); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

// removeAll removes a tree without leaving it: a link is removed, and not followed.
func removeAll(root *os.Root, name string) error {
	err := root.RemoveAll(name)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// A process of our own user may have closed a directory to it, and so to us.
	_ = fs.WalkDir(root.FS(), name, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return root.Chmod(path, 0o700)
		}
		return nil
	})
	return root.RemoveAll(name)
}

// isTemporaryOf tells whether some process was started with a temporary directory
// below a base: in any variable, because a worker may set TMPDIR to something else and
// follow TMP, or one of its own. Of processes of other users it cannot tell, unless we
// are root.
func isTemporaryOf(base string) (bool, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return false, err
	}
	for _, pid := range pids {
		env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		if err == nil && bytes.Contains(env, []byte(base+"/")) {
			return true, nil
		}
	}
	return false, nil
}
