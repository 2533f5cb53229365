package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// secrets looks for the keys, and says which of them no other instance will have.
func (s settings) secrets(log *slog.Logger) error {
	if s.random {
		log.Warn("random worker id: two instances may have the same", "worker_id", s.workerID)
	}
	if s.pem == "" {
		log.Warn("new signing key: tokens of before, and of other instances, are void")
	}
	key, err := os.ReadFile(s.keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		log.Warn("new master key", "file", s.keyFile)
		return makeKey(s.keyFile)
	}
	if err != nil {
		return fmt.Errorf("cannot read the master key: %w", err)
	}
	if len(key) != keySize {
		return fmt.Errorf("cannot use the master key %s: %d bytes, want %d", s.keyFile, len(key), keySize)
	}
	return nil
}

func makeKey(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot make the master key: %w", err)
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("cannot make the master key: %w", err)
	}
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return fmt.Errorf("cannot make the master key: %w", err)
	}
	return nil
}
