package config

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// longestFile is more than a configuration, a file of variables or a secret has. In bytes.
const longestFile = 16 << 20

var (
	errNotRegular = errors.New("not a regular file")
	errTooLong    = errors.New("longer than 16 MiB")
)

// ReadRegular is os.ReadFile for files that cannot make us wait, nor fill our memory: a named pipe or a device would hold
// up a reload for ever. The error is an *os.PathError.
func ReadRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	text, err := io.ReadAll(io.LimitReader(f, longestFile+1))
	if err == nil && len(text) > longestFile {
		return nil, &os.PathError{Op: "read", Path: path, Err: errTooLong}
	}
	return text, err
}
