package listener

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// maxPath is what sun_path of unix(7) holds besides the closing zero byte.
const maxPath = 107

// lockPath is beside a socket file.
func lockPath(path string) string { return path + ".lock" }

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
	lock, err := acquire(lockPath(path))
	if err != nil {
		return nil, nil, err
	}
	file := &socketFile{path: path, lock: lock}
	if err := removeStale(path); err != nil {
		lock.release()
		return nil, nil, err
	}
	// A supervisor that died while it was paused left this one; a worker of its that lives may have it still.
	_ = removeStale(path + hiddenSuffix)
	s, err := bindUnix(c, func(int) error { return file.made(c) })
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
		backlog := c.Backlog
		if backlog == 0 {
			backlog = defaultBacklog
		}
		if err := s.listenOn(backlog); err != nil {
			return nil, err
		}
		return s, nil
	}()
	if err != nil {
		_ = unix.Close(fd)
	}
	return s, err
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
