package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// stdinOf is a file in memory from which a process reads these bytes: nobody has to stay and write them.
func stdinOf(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("brood-event", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "brood-event")
	if _, err := f.Write(content); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot write a file in memory: %w", err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot write a file in memory: %w", err)
	}
	return f, nil
}
