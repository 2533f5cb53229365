package listener

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// lockFile is held for the life of a unix socket; the kernel drops it with the process.
type lockFile struct {
	path string
	fd   int
}

// acquire takes the lock or returns ErrInUse.
func acquire(path string) (*lockFile, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("cannot open lock file: %w", err)
		}
		err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && isStill(path, fd) {
			return &lockFile{path: path, fd: fd}, nil
		}
		_ = unix.Close(fd)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			return nil, ErrInUse
		case err != nil:
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		// The last holder removed the file between our open and our lock: what we locked is not what the next one opens.
	}
}

func isStill(path string, fd int) bool {
	var open, named unix.Stat_t
	return unix.Fstat(fd, &open) == nil && unix.Lstat(path, &named) == nil && open.Dev == named.Dev && open.Ino == named.Ino
}

// release removes the file while it is still locked, so that no two processes hold locks on two files of one name.
func (l *lockFile) release() {
	_ = unix.Unlink(l.path)
	_ = unix.Close(l.fd)
}
