package listener

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// maxPath is what sun_path of unix(7) holds besides the closing zero byte.
	maxPath     = 107
	defaultPerm = fs.FileMode(0o660)
)

// socketFile is the file of a unix socket that we made, with the lock that keeps a second supervisor from taking our
// file for a stale one between bind and listen, when nobody answers yet.
type socketFile struct {
	path string
	dev  uint64
	ino  uint64
	lock *lockFile
}

// openUnix opens a unix socket whose file has its mode and owner before anybody can connect.
func openUnix(c Config) (*shard, *socketFile, error) {
	path := c.Address.Path
	if len(path) > maxPath {
		return nil, nil, errPathLong
	}
	if c.Address.isAbstract() {
		s, err := bindUnix(c, func(int) error { return nil })
		return s, nil, err
	}
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, nil, err
	}
	file := &socketFile{path: path, lock: lock}
	if err := removeStale(path); err != nil {
		lock.release()
		return nil, nil, err
	}
	s, err := bindUnix(c, func(int) error { return file.dress(c) })
	if err != nil {
		file.remove()
		return nil, nil, err
	}
	return s, file, nil
}

// bindUnix binds, calls dress, and listens; see unix(7).
func bindUnix(c Config, dress func(fd int) error) (*shard, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make socket: %w", err)
	}
	s, err := func() (*shard, error) {
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: c.Address.Path}); err != nil {
			return nil, fmt.Errorf("cannot bind: %w", err)
		}
		if err := dress(fd); err != nil {
			return nil, err
		}
		s, err := newShard(fd)
		if err != nil {
			return nil, err
		}
		s.backlog = c.Backlog
		if s.backlog == 0 {
			s.backlog = defaultBacklog
		}
		if err := unix.Listen(fd, s.backlog); err != nil {
			return nil, fmt.Errorf("cannot listen: %w", err)
		}
		return s, nil
	}()
	if err != nil {
		_ = unix.Close(fd)
	}
	return s, err
}

// dress sets owner and mode through a descriptor of the very file, so that a link put in its place does no harm.
func (f *socketFile) dress(c Config) error {
	fd, err := unix.Open(f.path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open socket file: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("cannot look at socket file: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errNotSocket
	}
	f.dev, f.ino = st.Dev, st.Ino
	uid, gid, err := lookUp(c.Owner, c.Group)
	if err != nil {
		return err
	}
	// The owner first: a change of owner may clear bits of the mode.
	if uid >= 0 || gid >= 0 {
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
	var st unix.Stat_t
	if f.ino != 0 && unix.Lstat(f.path, &st) == nil && st.Dev == f.dev && st.Ino == f.ino {
		_ = unix.Unlink(f.path)
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

// removeStale removes a socket file on which nobody answers.
func removeStale(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); errors.Is(err, unix.ENOENT) {
		return nil
	} else if err != nil {
		return fmt.Errorf("cannot look at %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errNotSocket
	}
	_, err := peerOf(path)
	if !errors.Is(err, unix.ECONNREFUSED) {
		return ErrInUse // it answers, or it has no time to, or we may not ask
	}
	if err := unix.Unlink(path); err != nil {
		return fmt.Errorf("cannot remove stale socket: %w", err)
	}
	return nil
}

// peerOf connects to a unix socket and returns the process that made it listen.
func peerOf(path string) (pid int, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("cannot make socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return 0, fmt.Errorf("cannot connect to %s: %w", path, err)
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, fmt.Errorf("cannot see the peer of %s: %w", path, err)
	}
	return int(cred.Pid), nil
}
