package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// pageSize is what one read of a control file yields at most. All that are read here are far shorter, but for the lists
// of members, which are read to their end.
const pageSize = 4096

// read returns what a control file says. Plain system calls: an os.File would register each of them with the runtime's
// poller, as the kernel says that they can be waited for.
func read(path string) (string, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var text strings.Builder
	var page [pageSize]byte
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, page[:]) })
		if err != nil {
			return "", &os.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return text.String(), nil
		}
		text.Write(page[:n])
	}
}

// write hands a value to a control file, which takes it by one call or refuses it.
func write(dir, file, value string) error {
	path := filepath.Join(dir, file)
	fd, err := open(path, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := retry(func() (int, error) { return unix.Write(fd, []byte(value)) }); err != nil {
		return fmt.Errorf("cannot write %q: %w", value, &os.PathError{Op: "write", Path: path, Err: err})
	}
	return nil
}

func open(path string, flags int) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0) })
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// retry repeats a call that a signal interrupted: the runtime sends itself some.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// removeTree removes a group, and those that its processes have made in it. It wraps EBUSY while there are processes.
func removeTree(dir string) error {
	err := unix.Rmdir(dir)
	switch {
	case err == nil, errors.Is(err, unix.ENOENT):
		return nil
	case !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY):
		return &os.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	entries, _ := os.ReadDir(dir)
	inner := false
	for _, e := range entries {
		if e.IsDir() {
			inner = true
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if inner {
		err = unix.Rmdir(dir)
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}
