package worker

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// holdAgain has a directory that the program before has locked. The lock is that of all copies of the descriptor, and ends
// with the last one: the one that was handed stays as it is.
func holdAgain(path string, fd int) (*heldDir, error) {
	var named, locked unix.Stat_t
	if err := errors.Join(unix.Lstat(path, &named), unix.Fstat(fd, &locked)); err != nil {
		return nil, err
	}
	if named.Dev != locked.Dev || named.Ino != locked.Ino || unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil, errNotThatLock
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	ours, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &heldDir{path: path, root: root, lock: os.NewFile(uintptr(ours), path)}, nil
}
