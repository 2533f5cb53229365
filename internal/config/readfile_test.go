package config

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReadRegular(t *testing.T) {
	dir := t.TempDir()
	file, pipe, long := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "long")
	if err := os.WriteFile(file, []byte("A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, longestFile+1); err != nil {
		t.Fatal(err)
	}
	if text, err := ReadRegular(file); err != nil || string(text) != "A=1\n" {
		t.Errorf("a file: %q, %v", text, err)
	}
	for path, want := range map[string]error{pipe: errNotRegular, dir: errNotRegular, long: errTooLong, filepath.Join(dir, "none"): os.ErrNotExist} {
		if _, err := ReadRegular(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
