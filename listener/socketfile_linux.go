package listener

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	defaultPerm = fs.FileMode(0o660)
	// hiddenSuffix makes of a path the name that the file of a paused listener has.
	hiddenSuffix = ".paused"
)

// socketFile is the file of a unix socket that we made, with the lock that keeps a second supervisor from taking our
// file for a stale one between bind and listen, when nobody answers yet.
type socketFile struct {
	path     string
	dev      uint64
	ino      uint64
	uid, gid int // as it was made
	hidden   bool
	lock     *lockFile
}

// made takes note of the file that bind(2) has made, and dresses it.
func (f *socketFile) made(c Config) error {
	var st unix.Stat_t
	if err := unix.Lstat(f.path, &st); err != nil {
		return fmt.Errorf("cannot look at socket file: %w", err)
	}
	f.dev, f.ino, f.uid, f.gid = st.Dev, st.Ino, int(st.Uid), int(st.Gid)
	return f.dress(c)
}

// dress sets owner and mode through a descriptor of the very file, so that a link put in its place does no harm.
func (f *socketFile) dress(c Config) error {
	fd, err := unix.Open(f.at(), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open socket file: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("cannot look at socket file: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK || st.Dev != f.dev || st.Ino != f.ino {
		return errNotSocket
	}
	uid, gid, err := lookUp(c.Owner, c.Group)
	if err != nil {
		return err
	}
	if uid < 0 {
		uid = f.uid
	}
	if gid < 0 {
		gid = f.gid
	}
	// The owner first: a change of owner may clear bits of the mode.
	if uid != int(st.Uid) || gid != int(st.Gid) {
		if err := unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH); err != nil {
			return fmt.Errorf("cannot change owner of socket file: %w", err)
		}
	}
	perm := c.Perm
	if perm == 0 {
		perm = defaultPerm
	}
	if err := os.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), perm); err != nil {
		return fmt.Errorf("cannot change mode of socket file: %w", err)
	}
	return nil
}

// remove takes the file away if it is still ours, then the lock.
func (f *socketFile) remove() {
	if f.ours() {
		_ = unix.Unlink(f.at())
	}
	f.lock.release()
}

// lookUp turns names or numbers into ids; -1 leaves as it is, see chown(2).
func lookUp(owner, group string) (uid, gid int, err error) {
	uid, gid = -1, -1
	if owner != "" {
		if uid, err = strconv.Atoi(owner); err != nil {
			u, err := user.Lookup(owner)
			if err != nil {
				return -1, -1, fmt.Errorf("cannot look up owner: %w", err)
			}
			uid, _ = strconv.Atoi(u.Uid)
		}
	}
	if group != "" {
		if gid, err = strconv.Atoi(group); err != nil {
			g, err := user.LookupGroup(group)
			if err != nil {
				return -1, -1, fmt.Errorf("cannot look up group: %w", err)
			}
			gid, _ = strconv.Atoi(g.Gid)
		}
	}
	return uid, gid, nil
}

// at is where the file is now.
func (f *socketFile) at() string {
	if f.hidden {
		return f.path + hiddenSuffix
	}
	return f.path
}

// ours tells whether what has the name is the file that we made.
func (f *socketFile) ours() bool {
	var st unix.Stat_t
	return f.ino != 0 && unix.Lstat(f.at(), &st) == nil && st.Dev == f.dev && st.Ino == f.ino
}

// hide renames the file, so that connect(2) finds nothing. What is connected or waits is not concerned: the name counts
// at the moment of connect(2) alone. A file in our place that is not ours is left to whoever put it there.
func (f *socketFile) hide() error {
	if f.hidden || !f.ours() {
		return nil
	}
	if err := unix.Rename(f.path, f.path+hiddenSuffix); err != nil {
		return fmt.Errorf("cannot rename socket file: %w", err)
	}
	f.hidden = true
	return nil
}

// show undoes hide. Our lock keeps other supervisors away; the look is for anybody else, whose file rename(2) would
// replace.
func (f *socketFile) show() error {
	if !f.hidden {
		return nil
	}
	var st unix.Stat_t
	if unix.Lstat(f.path, &st) == nil {
		return ErrInUse
	}
	if err := unix.Rename(f.at(), f.path); err != nil {
		return fmt.Errorf("cannot rename socket file: %w", err)
	}
	f.hidden = false
	return nil
}
