package handover

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Store writes a document and its bytes to a file without a name, and returns its descriptor, which the next program does
// not inherit yet.
func Store(document any, blob []byte) (int, error) {
	pieces, err := Seal(document, blob)
	if err != nil {
		return -1, err
	}
	fd, err := Nameless("brood-state")
	if err != nil {
		return -1, fmt.Errorf("cannot store state: %w", err)
	}
	for _, piece := range pieces {
		if err := write(fd, piece); err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("cannot store state: %w", err)
		}
	}
	return fd, nil
}

// Nameless makes an empty file that is gone when nobody has it any more. The name is for people who look at /proc.
func Nameless(name string) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	return fd, err
}

func write(fd int, piece []byte) error {
	for len(piece) > 0 {
		n, err := unix.Write(fd, piece)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		piece = piece[n:]
	}
	return nil
}

// Load reads such a file from its beginning, and leaves it open and as it was: who cannot go on gives it back.
func Load(fd int) (document, blob []byte, err error) {
	file, err := ReadAll(fd)
	if err != nil {
		return nil, nil, err
	}
	return Open(file)
}

// ReadAll reads a file from its beginning.
func ReadAll(fd int) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("cannot read state from descriptor %d: %w", fd, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > 2*mostBytes {
		return nil, fmt.Errorf("cannot read state from descriptor %d: %w", fd, ErrNoState)
	}
	file := make([]byte, st.Size)
	for at := 0; at < len(file); {
		n, err := unix.Pread(fd, file[at:], int64(at))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, fmt.Errorf("cannot read state from descriptor %d: %w", fd, err)
		case n == 0:
			return nil, fmt.Errorf("cannot read state from descriptor %d: it became shorter: %w", fd, ErrNoState)
		}
		at += max(n, 0)
	}
	return file, nil
}

// Self is a descriptor of the program that runs, by which it can be executed again although its file was replaced.
func Self() (int, error) {
	fd, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("cannot keep hold of this program: %w", err)
	}
	return fd, nil
}

// Close closes a descriptor of these.
func Close(fd int) { _ = unix.Close(fd) } // nothing of it has to be written back
