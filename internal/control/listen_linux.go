package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/door"
)

// ErrTaken means that another supervisor has the name.
var ErrTaken = errors.New("another supervisor of this name is running")

// ErrPathLong means that no client could connect to the path of a control socket: sun_path of unix(7) has room for so much.
var ErrPathLong = fmt.Errorf("path is longer than %d bytes", maxPath)

const maxPath = 107

// Socket is the control socket of a running supervisor. It is locked: two supervisors never share a name, and the
// remains of one that was killed are cleared away by the next.
type Socket struct {
	door *door.Door
	path string
	lock *os.File
	left int // the number of the lock that the program before has left; -1 if there is none, or no more
}

// Listen makes the socket, and its directory if need be. The mode is 0660; where lists say who has access, everybody may
// connect, and the server decides.
func Listen(path string, access Access) (*Socket, error) {
	// Bound elsewhere and moved, it would exist at a path of any length.
	if len(path) > maxPath {
		return nil, fmt.Errorf("cannot listen on control socket %s: %w: use a shorter name or directory", path, ErrPathLong)
	}
	dir := filepath.Dir(path)
	mode, folder := access.modes()
	if err := os.MkdirAll(dir, folder); err != nil {
		return nil, fmt.Errorf("cannot make directory of control socket: %w", err)
	}
	if err := access.open(dir); err != nil {
		return nil, err
	}
	if err := checkOwner(dir); err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("cannot take control socket %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = lock.Close()
		return nil, fmt.Errorf("cannot remove old control socket: %w", err)
	}
	// The socket must not exist for a moment with more permissions than it is to have, and the umask belongs to the
	// whole process, so it is bound in a directory of its own and moved.
	d, err := bindPrivately(path, mode)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("cannot listen on control socket: %w", err)
	}
	return &Socket{door: d, path: path, lock: lock, left: -1}, nil
}

// modes are those of a socket, and of a directory that is made for it.
func (a Access) modes() (socket, dir os.FileMode) {
	if a.isOpen() {
		return 0o666, 0o755
	}
	return 0o660, 0o750
}

// open lets everybody into the directory, where lists say who has access and it is ours alone: another supervisor may have made it.
func (a Access) open(dir string) error {
	if !a.isOpen() || dir != rootDir {
		return nil
	}
	_, mode := a.modes()
	if err := os.Chmod(dir, mode); err != nil {
		return fmt.Errorf("cannot open directory of control socket: %w", err)
	}
	return nil
}

// everybody are the permissions that only a socket has which everybody may connect to.
const everybody = 0o006

// Admit gives a socket that was taken over the mode that it would have been made with, if it is for everybody now, or was.
func (s *Socket) Admit(access Access) error {
	info, err := os.Lstat(s.path)
	if err != nil {
		return fmt.Errorf("cannot look at control socket: %w", err)
	}
	if access.isOpen() == (info.Mode()&everybody == everybody) {
		return nil
	}
	if err := access.open(filepath.Dir(s.path)); err != nil {
		return err
	}
	mode, _ := access.modes()
	if err := os.Chmod(s.path, mode); err != nil {
		return fmt.Errorf("cannot change who may connect to the control socket: %w", err)
	}
	return nil
}

func bindPrivately(path string, mode os.FileMode) (*door.Door, error) {
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	made := filepath.Join(tmp, "s")
	// Reached through its descriptor, for it may have a longer path than the socket is to have.
	opened, err := os.Open(tmp)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }()
	short := fmt.Sprintf("/proc/self/fd/%d/s", opened.Fd())
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(made, mode); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return door.New(l)
}

// checkOwner refuses a directory below a world-writable one that somebody else made first.
func checkOwner(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return fmt.Errorf("cannot look at directory of control socket: %w", err)
	}
	if uid := os.Geteuid(); dir == privateDir(uid) && (int(st.Uid) != uid || st.Mode&unix.S_IFMT != unix.S_IFDIR) {
		return fmt.Errorf("cannot use %s for the control socket: it belongs to user %d", dir, st.Uid)
	}
	return nil
}

// lockFile takes an exclusive lock that ends with the process. The file is removed at a clean end, so the one that was
// locked must still be the one of that name.
func lockFile(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			_ = f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, ErrTaken
			}
			return nil, err
		}
		mine, err1 := f.Stat()
		named, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(mine, named) {
			return f, nil
		}
		_ = f.Close()
	}
}

// Close closes the socket, if its server has not. Its name stays ours.
func (s *Socket) Close() error { return s.door.Close() }

// Remove closes the socket, and takes it and its lock away.
func (s *Socket) Remove() {
	_ = s.Close()
	_ = os.Remove(s.path)
	_ = os.Remove(s.path + ".lock")
	_ = s.lock.Close()
}
