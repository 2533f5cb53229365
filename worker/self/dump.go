package self

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"syscall"
	"time"
)

// Dumper writes what a program has in memory and what it is doing, for somebody who
// looks at it later. The zero value is useful.
type Dumper struct {
	// Dir is where the files go. Empty is the first of the working directory, HOME,
	// TMPDIR and /tmp that takes them.
	Dir string
	// Whole adds the heap with its content, by debug.WriteHeapDump: as large as the
	// heap, and the world stands still while it is written.
	Whole bool
}

// OnSignal writes a dump for each SIGUSR2, which brood sends for `brood dump`, until
// ctx is done. report is told, one after another, of the files of each and of what
// went wrong; nil tells nobody. Signals that come while one is written are one.
func (d Dumper) OnSignal(ctx context.Context, report func(files []string, err error)) {
	onSignal(ctx, syscall.SIGUSR2, func() {
		if files, err := d.Write(); report != nil {
			report(files, err)
		}
	})
}

// Write collects garbage and writes the profile of what is left (.heap.pprof), that of
// the goroutines (.goroutines.pprof), both for `go tool pprof`, and if asked for the
// whole heap (.heapdump). The names begin with those of the program, its pid and the
// time. Each file appears when it is complete, never in the place of another one, and
// only its owner may read it: a heap has secrets. Files that could be written are
// returned with the errors of the others.
func (d Dumper) Write() (files []string, err error) {
	runtime.GC()
	base := fmt.Sprintf("%s-%d-%s", filepath.Base(os.Args[0]), os.Getpid(), time.Now().UTC().Format("20060102T150405.000Z"))
	kinds := []struct {
		suffix string
		write  func(*os.File) error
	}{
		{".heap.pprof", profile("heap")},
		{".goroutines.pprof", profile("goroutine")},
		{".heapdump", func(f *os.File) error { debug.WriteHeapDump(f.Fd()); return nil }},
	}
	if !d.Whole {
		kinds = kinds[:2]
	}
	var errs []error
	for _, kind := range kinds {
		name, err := d.put(base, kind.suffix, kind.write)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, name)
	}
	return files, errors.Join(errs...)
}

func profile(name string) func(*os.File) error {
	return func(f *os.File) error { return pprof.Lookup(name).WriteTo(f, 0) }
}

// put writes a file in the first directory that takes it.
func (d Dumper) put(base, suffix string, write func(*os.File) error) (string, error) {
	dirs := []string{d.Dir}
	if d.Dir == "" {
		dirs = dumpDirs()
	}
	var errs []error
	for _, dir := range dirs {
		name, err := place(dir, base, suffix, write)
		if err == nil {
			return name, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("cannot write dump %s: %w", base+suffix, errors.Join(errs...))
}

// dumpDirs are the places for dumps, without those that are not known.
func dumpDirs() []string {
	var dirs []string
	if dir, err := os.Getwd(); err == nil {
		dirs = append(dirs, dir)
	}
	for _, dir := range []string{os.Getenv("HOME"), os.Getenv("TMPDIR"), "/tmp"} {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// place writes a file beside its place, and gives it the name when it is complete: link(2) does so only if nobody has it.
func place(dir, base, suffix string, write func(*os.File) error) (string, error) {
	f, err := os.CreateTemp(dir, "."+base+suffix+"-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name()) // its other name is what counts
	if err := errors.Join(write(f), holds(f), f.Close()); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		name := filepath.Join(dir, base+suffix)
		if n > 1 {
			name = filepath.Join(dir, base+"-"+strconv.Itoa(n)+suffix)
		}
		if err := os.Link(f.Name(), name); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}

// holds reports a file in which nothing is: debug.WriteHeapDump does not tell that the disk is full.
func holds(f *os.File) error {
	if size, err := f.Seek(0, io.SeekEnd); err != nil || size == 0 {
		return errors.Join(fmt.Errorf("cannot write %s: it stayed empty", f.Name()), err)
	}
	return nil
}
