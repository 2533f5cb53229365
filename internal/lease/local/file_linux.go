package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/lease"
)

// The file: a line that says what it is, a byte that is written to wake who waits, and a record per place. The locked
// bytes are far behind its end.
const (
	magic      = "places of brood, version 1\n"
	bell       = 64
	headerSize = 4096
	recordSize = 512
	lockBase   = 1 << 40
)

// file is the one of a name.
type file struct {
	path   string
	rw     *os.File // has locks only while something is claimed
	claims map[*claim]struct{}
}

func open(path string) (*file, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := &file{path: path, rw: os.NewFile(uintptr(fd), path), claims: map[*claim]struct{}{}}
	if err := f.begin(); err != nil {
		return nil, errors.Join(err, f.rw.Close())
	}
	return f, nil
}

// begin writes the first line, or compares it. Two who write it write the same.
func (f *file) begin() error {
	var at unix.Stat_t
	if err := unix.Fstat(f.fd(), &at); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	if at.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s is not a regular file", f.path)
	}
	if at.Size == 0 {
		_, err := f.rw.WriteAt([]byte(magic), 0)
		return err
	}
	head := make([]byte, len(magic))
	if _, err := f.rw.ReadAt(head, 0); err != nil || !bytes.Equal(head, []byte(magic)) {
		return fmt.Errorf("%s does not begin with %q: it is something else, or of another version", f.path, magic)
	}
	return nil
}

// fd does not change the file's mode, as Fd did in older versions of Go, and stays valid while the engine is locked.
func (f *file) fd() int { return int(f.rw.Fd()) }

// inPlace says whether the path still leads to this file.
func (f *file) inPlace() error { return sameFile(f.fd(), f.path) }

func sameFile(fd int, path string) error {
	var mine, there unix.Stat_t
	if err := unix.Fstat(fd, &mine); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch err := unix.Lstat(path, &there); {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%s was removed", path)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case mine.Dev != there.Dev || mine.Ino != there.Ino:
		return fmt.Errorf("%s was replaced by another file", path)
	}
	return nil
}

// lock sets or drops a lock on the byte of a place. The error is EAGAIN where somebody else's is in the way.
func lock(fd int, kind int16, place int) error {
	for {
		err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: lockBase + int64(place), Len: 1})
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EACCES):
			return unix.EAGAIN
		default:
			return err
		}
	}
}

// free says whether nobody has a lock on the place.
func (f *file) free(place int) (bool, error) {
	at := unix.Flock_t{Type: unix.F_WRLCK, Start: lockBase + int64(place), Len: 1}
	if err := unix.FcntlFlock(uintptr(f.fd()), unix.F_OFD_GETLK, &at); err != nil {
		return false, fmt.Errorf("cannot look at place %d in %s: %w", place, f.path, err)
	}
	return at.Type == unix.F_UNLCK, nil
}

// places is one more than the highest that ever had a record.
func (f *file) places() (int, error) {
	info, err := f.rw.Stat()
	if err != nil {
		return 0, err
	}
	return int(max(0, info.Size()-headerSize)+recordSize-1) / recordSize, nil
}

// ring wakes who waits.
func (f *file) ring() error {
	_, err := f.rw.WriteAt([]byte{0}, bell)
	return err
}

func (f *file) holder(place int) (lease.Holder, error) {
	r, err := f.read(place)
	return lease.Holder{Place: place, Fence: r.fence, Who: r.who, Value: r.value}, err
}
