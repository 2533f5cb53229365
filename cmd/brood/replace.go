package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// change is a file that is to have another content.
type change struct {
	path    string
	text    []byte
	old     []byte
	existed bool
	temp    string // its content so far, beside it
}

// differing finds what there is to do for files of a directory.
func differing(dir string, files []wanted) ([]change, error) {
	var all []change
	for _, f := range files {
		ch := change{path: filepath.Join(dir, f.name), text: []byte(f.text)}
		info, err := os.Lstat(ch.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			all = append(all, ch)
			continue
		case err != nil:
			return nil, fmt.Errorf("cannot look at what is there: %w", err)
		case !info.Mode().IsRegular():
			return nil, &userError{
				code: exitFailed, err: fmt.Errorf("cannot replace %s: it is no regular file", ch.path),
				hint: "a link may stand for a unit that is masked; remove it, or choose another name for the supervisor",
			}
		}
		ch.existed = true
		if ch.old, err = os.ReadFile(ch.path); err != nil {
			return nil, fmt.Errorf("cannot read what is there: %w", err)
		}
		if !bytes.Equal(ch.old, ch.text) {
			all = append(all, ch)
		}
	}
	return all, nil
}

// replaceAll gives all files their new content, or none: everything that may fail for want of room or permission is done
// before the first of them is touched, and what was done before a failure is undone.
func replaceAll(changes []change) (err error) {
	var made []string
	done := 0
	defer func() {
		if err == nil {
			return
		}
		for i := range changes {
			if changes[i].temp != "" {
				_ = os.Remove(changes[i].temp)
			}
		}
		for i := range done {
			if undo := changes[i].undo(); undo != nil {
				err = errors.Join(err, fmt.Errorf("cannot put back what was there: %w", undo))
			}
		}
		for _, dir := range slices.Backward(made) {
			_ = os.Remove(dir) // ours alone, and empty, or somebody else's by now
		}
	}()
	for i := range changes {
		folders, err := makeFolders(filepath.Dir(changes[i].path))
		made = append(made, folders...)
		if err != nil {
			return fmt.Errorf("cannot make directory: %w", err)
		}
		if err := changes[i].prepare(); err != nil {
			return fmt.Errorf("cannot write %s: %w", changes[i].path, err)
		}
	}
	for i := range changes {
		if err := os.Rename(changes[i].temp, changes[i].path); err != nil {
			return fmt.Errorf("cannot write %s: %w", changes[i].path, err)
		}
		changes[i].temp = ""
		done = i + 1
	}
	for i := range changes {
		if err := syncFolder(filepath.Dir(changes[i].path)); err != nil {
			return fmt.Errorf("cannot write %s: %w", changes[i].path, err)
		}
	}
	return nil
}

// prepare writes the content to the disk, beside the file. The name begins with a dot, so that nobody reads it.
func (ch *change) prepare() error {
	f, err := os.CreateTemp(filepath.Dir(ch.path), "."+filepath.Base(ch.path)+".new-")
	if err != nil {
		return err
	}
	ch.temp = f.Name()
	_, err = f.Write(ch.text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// undo puts back what was there.
func (ch *change) undo() error {
	if !ch.existed {
		return os.Remove(ch.path)
	}
	before := change{path: ch.path, text: ch.old}
	if err := before.prepare(); err != nil {
		return err
	}
	return os.Rename(before.temp, before.path)
}

// makeFolders makes a directory and what is missing above it, and returns those that it made.
func makeFolders(dir string) (made []string, err error) {
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if made, err = makeFolders(filepath.Dir(dir)); err != nil {
		return made, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // others read what is installed there
		return made, err
	}
	return append(made, dir), nil
}

// syncFolder makes the new names last over a crash.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
