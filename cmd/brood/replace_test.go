package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestReplaceIsUndone: when the last file cannot be put in its place, those before it are as they were.
func TestReplaceIsUndone(t *testing.T) {
	dir := t.TempDir()
	old, fresh, folder := filepath.Join(dir, "old"), filepath.Join(dir, "new", "deep", "fresh"), filepath.Join(dir, "folder")
	if err := errors.Join(os.WriteFile(old, []byte("before"), 0o644), os.MkdirAll(filepath.Join(folder, "full"), 0o755)); err != nil {
		t.Fatal(err)
	}
	err := replaceAll([]change{
		{path: old, existed: true, old: []byte("before"), text: []byte("after")},
		{path: fresh, text: []byte("after")},
		{path: folder, text: []byte("after")}, // turned into a folder since somebody looked
	})
	if err == nil {
		t.Fatal("a folder was replaced")
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != "before" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was made is still there: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
