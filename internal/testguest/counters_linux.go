package testguest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counters is what one guest process counted, at its death or so far. With one
// request per connection, of those it accepted at least Accepted-Started and at
// most Accepted+Accepting-Finished were never answered.
type Counters struct {
	PID       int
	Accepting uint64 // calls of accept4(2) under way
	Accepted  uint64 // connections that such a call returned
	Started   uint64 // answers given to write(2)
	Finished  uint64 // answers that write(2) returned from
}

// Unanswered is the most requests that may have died with the process although
// it had taken them from the queue.
func (c Counters) Unanswered() int {
	return int(c.Accepted + c.Accepting - c.Finished)
}

type counter int

const (
	accepting counter = iota
	accepted
	started
	finished

	fields
)

// counters live in a mapped file: stores reach the page cache, and so survive the
// death of the process without a system call. nil counts nothing.
type counters struct {
	fields *[fields]atomic.Uint64
}

const suffix = ".counters"

// openCounters makes the file of this process in dir.
func openCounters(dir string) (*counters, error) {
	if dir == "" {
		return nil, nil
	}
	path := filepath.Join(dir, strconv.Itoa(os.Getpid())+suffix)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot make counters: %w", err)
	}
	defer file.Close() // the mapping keeps it
	if err := file.Truncate(int64(fields) * 8); err != nil {
		return nil, fmt.Errorf("cannot size counters %s: %w", path, err)
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, int(fields)*8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot map counters %s: %w", path, err)
	}
	return &counters{fields: (*[fields]atomic.Uint64)(unsafe.Pointer(&memory[0]))}, nil
}

func (c *counters) add(field counter, n int) {
	if c != nil {
		c.fields[field].Add(uint64(n)) // a negative n wraps to the right sum
	}
}

// ReadCounters reads what every guest that was given this directory has counted.
func ReadCounters(dir string) ([]Counters, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("cannot list counters in %s: %w", dir, err)
	}
	var all []Counters
	for _, path := range paths {
		pid, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), suffix))
		if err != nil {
			return nil, fmt.Errorf("cannot read counters %s: %w", path, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read counters: %w", err)
		}
		if len(data) < int(fields)*8 {
			continue // made, but not yet sized: it has accepted nothing
		}
		at := func(f counter) uint64 { return binary.NativeEndian.Uint64(data[int(f)*8:]) }
		all = append(all, Counters{
			PID: pid, Accepting: at(accepting), Accepted: at(accepted), Started: at(started), Finished: at(finished),
		})
	}
	return all, nil
}
