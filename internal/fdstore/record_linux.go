package fdstore

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"golang.org/x/sys/unix"
)

const (
	copies = 2
	// magic begins a record, and tells how it is written: a line of magic, number, length and checksum, then the text.
	magic = "brood-record-1"
	// largest is more than the sockets of any supervisor need; it bounds what is read of a file that is none of ours.
	largest = 64 << 20
)

// ErrNoRecord means that there are not two files, or that none has a whole text.
var ErrNoRecord = errors.New("there is no record")

// Record is a text in two anonymous files.
type Record struct {
	files  [copies]int
	number uint64 // of the last one written, which is in file number%copies
}

// NewRecord makes a record that has no text yet.
func NewRecord() (*Record, error) {
	r := &Record{files: [copies]int{-1, -1}}
	for i := range r.files {
		fd, err := unix.MemfdCreate("brood-record", unix.MFD_CLOEXEC)
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("cannot make anonymous file: %w", err)
		}
		r.files[i] = fd
	}
	return r, nil
}

// OpenRecord takes over a record by its files, in any order, and returns the last whole text that was written. They belong
// to the record from then on, or stay the caller's when there is an error: ErrNoRecord if there is none.
func OpenRecord(fds []int) (*Record, []byte, error) {
	var last []byte
	r, found := &Record{}, -1
	for i, fd := range fds {
		if n, text, err := read(fd); err == nil && (found < 0 || n > r.number) {
			r.number, last, found = n, text, i
		}
	}
	if found < 0 || len(fds) != copies {
		return nil, nil, ErrNoRecord
	}
	r.files[r.number%copies], r.files[(r.number+1)%copies] = fds[found], fds[1-found]
	return r, last, nil
}

func read(fd int) (number uint64, text []byte, err error) {
	all, err := io.ReadAll(io.NewSectionReader(file(fd), 0, largest))
	if err != nil {
		return 0, nil, err
	}
	head, text, _ := bytes.Cut(all, []byte("\n"))
	var length int
	var sum uint32
	if _, err := fmt.Sscanf(string(head), magic+" %d %d %d", &number, &length, &sum); err != nil {
		return 0, nil, fmt.Errorf("cannot read head of record: %w", err)
	}
	if length != len(text) || crc32.ChecksumIEEE(text) != sum {
		return 0, nil, ErrNoRecord
	}
	return number, text, nil
}

// Write makes text the record. Until it is written the one before counts.
func (r *Record) Write(text []byte) error {
	next := r.number + 1
	fd := r.files[next%copies]
	head := fmt.Sprintf("%s %d %d %d\n", magic, next, len(text), crc32.ChecksumIEEE(text))
	if err := unix.Ftruncate(fd, 0); err != nil {
		return fmt.Errorf("cannot empty record: %w", err)
	}
	if err := writeAll(fd, append([]byte(head), text...)); err != nil {
		return fmt.Errorf("cannot write record: %w", err)
	}
	r.number = next
	return nil
}

func writeAll(fd int, data []byte) error {
	for at := 0; at < len(data); {
		n, err := unix.Pwrite(fd, data[at:], int64(at))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		at += max(n, 0)
	}
	return nil
}

// FDs are the files, for a store. They stay the record's.
func (r *Record) FDs() []int { return r.files[:] }

// Close closes the files of this process.
func (r *Record) Close() {
	for _, fd := range r.files {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// file reads a descriptor that stays its owner's.
type file int

func (f file) ReadAt(p []byte, off int64) (int, error) {
	n, err := unix.Pread(int(f), p, off)
	switch {
	case err != nil:
		return 0, fmt.Errorf("cannot read record: %w", err)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}
