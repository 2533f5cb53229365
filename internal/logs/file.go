package logs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// retryFile is how often a file that cannot be written is tried again: often enough for who makes room on the disk.
const retryFile = time.Second

var errRemoved = errors.New("it is removed again and again")

// file is a log file. Lines are whole in it, also after the disk was full; one that was removed is made again with what was
// last written to it; one that was renamed is left on [Mux.Reopen].
type file struct {
	path    string
	set     atomic.Pointer[FileSettings]
	janitor *janitor
	keeping *episode      // the trouble with files that are full
	writers chan struct{} // holds as many as may be in a system call at once

	reopen atomic.Bool
	fd     int // -1 if it is not open
	size   int64
	born   time.Time
	full   archives
	torn   bool      // the last line has no end
	stuck  time.Time // when another file could not be begun
}

func newFile(path string, j *janitor, keeping *episode, writers chan struct{}) *file {
	return &file{path: path, full: archives{path: path}, janitor: j, keeping: keeping, writers: writers, fd: -1}
}

func (f *file) pause() time.Duration { return retryFile }
func (f *file) giveUp()              {} // nothing ends a write to a disk
func (f *file) goOn()                {}
func (f *file) lines(b []byte) int   { return bytes.Count(b, newline) }

func (f *file) tend() error {
	f.writers <- struct{}{}
	defer func() { <-f.writers }()
	return f.ready()
}

// ready has a file open.
func (f *file) ready() error {
	if f.reopen.Swap(false) {
		f.close()
	}
	if f.fd >= 0 {
		return nil
	}
	fd, is, err := openLog(f.path)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(f.path), 0o750); err == nil {
			fd, is, err = openLog(f.path)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot open log file: %w", err)
	}
	f.take(fd, is)
	return nil
}

// take goes on with another file.
func (f *file) take(fd int, is logFile) {
	f.close()
	f.fd, f.size, f.born, f.torn = fd, is.size, is.born, false
	f.janitor.tidy(f.path, f.set.Load(), f.keeping)
}

func (f *file) close() {
	closeFD(f.fd)
	f.fd = -1
}

// write is for whole lines.
func (f *file) write(b []byte) (int, error) {
	f.writers <- struct{}{}
	defer func() { <-f.writers }()
	for range 3 {
		if err := f.ready(); err != nil {
			return 0, err
		}
		n, removed, err := f.append(f.fit(b))
		if !removed {
			return n, err
		}
		f.close() // and what was written is written again
	}
	return 0, fmt.Errorf("cannot write log file %s: %w", f.path, errRemoved)
}

// append writes, and leaves no line without its end behind.
func (f *file) append(b []byte) (n int, removed bool, err error) {
	if f.torn {
		if _, err := writeFile(f.fd, newline); err != nil {
			return 0, false, f.refused(err)
		}
		f.torn = false
	}
	n, err = writeFile(f.fd, b)
	is := statLog(f.fd)
	if is.links == 0 {
		return 0, true, nil
	}
	f.size = is.size
	if err == nil {
		return n, false, nil
	}
	whole := bytes.LastIndexByte(b[:n], '\n') + 1
	if n > whole {
		f.torn = truncateLog(f.fd, f.size-int64(n-whole)) != nil
		f.size -= int64(n - whole)
	}
	return whole, false, f.refused(err)
}

func (f *file) refused(err error) error { return fmt.Errorf("%s: %w", f.path, err) }

// fit returns what goes into the file at hand, and begins another one if that is nothing.
func (f *file) fit(b []byte) []byte {
	set := f.set.Load()
	if set.MaxAge > 0 && f.size > 0 && time.Since(f.born) >= set.MaxAge {
		f.rotate()
	}
	if set.MaxSize <= 0 {
		return b
	}
	part := wholeLines(b, set.MaxSize-f.size)
	if len(part) == 0 && f.size > 0 {
		f.rotate()
		part = wholeLines(b, set.MaxSize-f.size)
	}
	if len(part) == 0 {
		part = b[:bytes.IndexByte(b, '\n')+1] // a line that is longer than a file may be has one of its own
	}
	return part
}

// wholeLines are those that room is for.
func wholeLines(b []byte, room int64) []byte {
	if int64(len(b)) <= room {
		return b
	}
	return b[:bytes.LastIndexByte(b[:max(room, 0)], '\n')+1]
}

// rotate begins another file. If there can be none, lines go on into the old one.
func (f *file) rotate() {
	if time.Since(f.stuck) < retryFile {
		return
	}
	if err := f.begin(); err != nil {
		f.stuck = time.Now()
		f.keeping.met(f.path, err, tally{})
		return
	}
	f.keeping.went(f.path)
}

func (f *file) begin() error {
	if sameLog(f.fd, f.path) { // else somebody else has rotated it
		if err := f.full.add(time.Now()); err != nil {
			return err
		}
	}
	fd, is, err := openLog(f.path)
	if err != nil {
		return fmt.Errorf("cannot open log file: %w", err)
	}
	f.take(fd, is)
	return nil
}
