package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// beside makes a group for us where others may have theirs. A lock on it tells whether its owner lives, and ends with it.
func (t *Tree) beside() error {
	name := filepath.Join(t.place.dir, broodPrefix+escape(t.opt.Name))
	sweepOthers(t.place.dir, name)
	t.base = name
	ok, err := t.claim()
	if err != nil || ok {
		return err
	}
	// One of our name lives, with another control socket.
	t.base = name + "+" + strconv.Itoa(os.Getpid())
	ok, err = t.claim()
	if err == nil && !ok {
		err = &os.PathError{Op: "lock", Path: t.base, Err: unix.EWOULDBLOCK}
	}
	return err
}

// lockable is the mode of a group that is locked: who can open it can lock it, and keep us out of what is ours. Others go
// through it all the same, as programs that run as another user read their own limits below.
const lockable = 0o711

// claim makes and locks the group, unless somebody else has it.
func (t *Tree) claim() (bool, error) {
	if err := unix.Mkdir(t.base, lockable); err != nil && !errors.Is(err, unix.EEXIST) {
		return false, &os.PathError{Op: "mkdir", Path: t.base, Err: err}
	}
	var err error
	t.lock, err = lock(t.base)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := unix.Fchmod(t.lock, lockable); err != nil { // it may be an older one's
		return false, &os.PathError{Op: "chmod", Path: t.base, Err: err}
	}
	return true, nil
}

// lock takes the lock of a group. A group that was removed meanwhile is not there.
func lock(dir string) (int, error) {
	fd, err := open(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return -1, err
	}
	if err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err == nil {
		var held, found unix.Stat_t
		if err = errors.Join(unix.Fstat(fd, &held), unix.Stat(dir, &found)); err == nil && held.Ino != found.Ino {
			err = unix.ENOENT
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, &os.PathError{Op: "lock", Path: dir, Err: err}
	}
	return fd, nil
}

func (t *Tree) unlock() {
	if t.lock >= 0 {
		_ = unix.Rmdir(t.base)
		_ = unix.Close(t.lock)
		t.lock = -1
	}
}

// sweepOthers removes what supervisors left that were killed, whatever their name was.
func sweepOthers(dir, own string) {
	groups, _ := filepath.Glob(filepath.Join(dir, broodPrefix+"*"))
	for _, group := range groups {
		if group == own {
			continue
		}
		if fd, err := lock(group); err == nil {
			_ = sweep(group, nil)
			_ = unix.Rmdir(group)
			_ = unix.Close(fd)
		}
	}
}

// sweep removes the groups of an earlier supervisor but for those to be spared, and returns those that have processes: they
// were meant to live on.
func sweep(base string, spared []string) []string {
	var left []string
	pools, _ := filepath.Glob(filepath.Join(base, poolPrefix+"*"))
	for _, pool := range pools {
		groups, _ := filepath.Glob(filepath.Join(pool, "*-*-*"))
		for _, group := range groups {
			if !slices.Contains(spared, group) && removeTree(group) != nil {
				left = append(left, group)
			}
		}
		_ = unix.Rmdir(pool)
	}
	return left
}
